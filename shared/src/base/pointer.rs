//! Where in a JSON document something is: JSON pointers (RFC 6901).

use serde_path_to_error::{Path, Segment};

/// The pointer of a path; empty for the document as a whole.
#[must_use]
pub fn pointer(path: &Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            // The variant of an enum has no place of its own in the document.
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}
