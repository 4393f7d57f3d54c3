//! In writing.
