//! The sizes of the deployed binaries.

use std::path::Path;

use crate::error::Error;
use crate::figure::Figure;
use crate::page::Section;

/// The functions without the AWS SDK, and the maximum size of each in MB.
const PLAIN: &[&str] = &[
    "openapi",
    "health",
    "queue",
    "queue-jobs",
    "sessions",
    "user-sessions",
    "tokens",
    "cache",
    "notifications",
    "audit",
    "rate-limits",
    "security",
    "suppressions",
    "unsubscribe",
    "mail-events",
    "persist-session",
    "relay-outbox",
    "send-notification",
    "audit-log",
    "cleanup-expired",
    "job-failed",
];
const PLAIN_MOST: f64 = 6.0;

/// The functions with the AWS SDK.
const WITH_SDK: &[&str] = &["send-email"];
const WITH_SDK_MOST: f64 = 12.0;

/// Returns a figure for each function.
pub(crate) fn section(bin_dir: &Path) -> Result<Section, Error> {
    let size = |path: &Path| -> Result<f64, Error> {
        let metadata = std::fs::metadata(path);
        let metadata =
            metadata.map_err(Error::system(format!("{} is not built", path.display())))?;
        Ok(megabytes(metadata.len()))
    };
    let hello = Figure::new(
        "hello (for comparison)",
        size(&bin_dir.join("examples/hello"))?,
        "MB",
    );
    let plain = PLAIN.iter().map(|name| (name, PLAIN_MOST));
    let functions = plain.chain(WITH_SDK.iter().map(|name| (name, WITH_SDK_MOST)));
    let functions = functions
        .map(|(name, most)| Ok(Figure::new(*name, size(&bin_dir.join(name))?, "MB").at_most(most)));
    let figures = std::iter::once(Ok(hello)).chain(functions);
    Ok(Section {
        title: "Binaries",
        how: "Stripped, as they are deployed.",
        figures: figures.collect::<Result<_, Error>>()?,
    })
}

/// Returns bytes in MB.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a size, not an account")]
    let bytes = bytes as f64;
    bytes / 1e6
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{PLAIN, WITH_SDK};

    #[test]
    fn every_function_is_listed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
        let folders = ["api", "jobs"].map(|kind| std::fs::read_dir(root.join(kind)).unwrap());
        let there: BTreeSet<String> = folders
            .into_iter()
            .flatten()
            .map(|folder| folder.unwrap().file_name().into_string().unwrap())
            .collect();
        let listed = PLAIN.iter().chain(WITH_SDK);
        let listed: BTreeSet<String> = listed.map(|name| (*name).to_owned()).collect();
        assert_eq!(listed, there);
    }
}
