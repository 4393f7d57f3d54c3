//! Errors that stop a function at init.

use std::fmt;

use crate::base::causes::causes;

/// One line that says why a function cannot start. `main` returns it, and Rust prints it.
pub struct Fatal(String);

impl<E: std::error::Error> From<E> for Fatal {
    fn from(error: E) -> Self {
        Self(causes(&error))
    }
}

impl Fatal {
    /// Converts an error of the Lambda runtime, which is boxed and therefore not a [`std::error::Error`].
    #[must_use]
    pub fn runtime(error: &lambda_http::Error) -> Self {
        Self(causes(&**error))
    }
}

impl fmt::Debug for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
