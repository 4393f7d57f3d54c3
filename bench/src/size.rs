//! How large the binaries are that are deployed.

use std::path::Path;

use crate::error::Error;
use crate::figure::Figure;
use crate::page::Section;

/// The functions, and the largest that each may be in MB: those that send mail carry the AWS SDK.
const FUNCTIONS: [(&str, f64); 10] = [
    ("openapi", 6.0),
    ("queue", 6.0),
    ("queue-jobs", 6.0),
    ("health", 6.0),
    ("sessions", 6.0),
    ("user-sessions", 6.0),
    ("tokens", 6.0),
    ("persist-session", 6.0),
    ("job-failed", 6.0),
    ("send-email", 12.0),
];

/// A figure for each function.
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
    let functions = FUNCTIONS.iter().map(|(name, limit)| {
        Ok(Figure::new(*name, size(&bin_dir.join(name))?, "MB").at_most(*limit))
    });
    let figures = std::iter::once(Ok(hello)).chain(functions);
    Ok(Section {
        title: "Binaries",
        how: "Stripped, as they are deployed.",
        figures: figures.collect::<Result<_, Error>>()?,
    })
}

/// Bytes in MB.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a size, not an account")]
    let bytes = bytes as f64;
    bytes / 1e6
}
