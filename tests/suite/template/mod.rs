//! template.yaml, compared with the code: each function has exactly the variables that its binary reads and the rights
//! that its binary uses. Required properties of functions and alarms are present. Its sources are in template/.

pub(crate) mod alarms;
mod binary;
pub(crate) mod document;
mod limits;
mod rights;
mod secrets;
pub(crate) mod sources;
pub(crate) mod variables;

use std::path::Path;

/// Returns the text of a file of this source tree.
fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).unwrap()
}
