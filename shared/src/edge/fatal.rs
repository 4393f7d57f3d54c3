//! What stops a function at init.

use std::fmt;

/// The one line that says why a function cannot start. `main` returns it, and Rust prints it.
pub struct Fatal(String);

impl<E: std::error::Error> From<E> for Fatal {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl Fatal {
    /// An error of the Lambda runtime, which is boxed and therefore no [`std::error::Error`].
    #[must_use]
    pub fn runtime(error: &lambda_http::Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Debug for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
