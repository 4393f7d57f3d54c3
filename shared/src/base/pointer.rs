//! JSON pointers (RFC 6901): the place of a value in a document.

use serde_path_to_error::{Path, Segment};

/// Returns the pointer of a path; empty for the whole document.
#[must_use]
pub fn pointer(path: &Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            // An enum's variant has no place of its own in the document.
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}
