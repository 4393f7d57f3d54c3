//! template.yaml, held against the code: each function is given what its binary reads and may call what its binary
//! calls, nothing more and nothing less; what must be said of every function and every alarm is said. It is what its
//! sources in template/ say.

pub(crate) mod alarms;
mod binary;
pub(crate) mod document;
mod limits;
mod rights;
mod secrets;
pub(crate) mod sources;
pub(crate) mod variables;

use std::path::Path;

/// A file of this source tree, as text.
fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).unwrap()
}
