//! An error with its causes as one text, for log lines and the records of jobs.

use std::error::Error;

/// Returns the text of an error, followed by the texts of its causes. The JSON log format writes only the outermost
/// error, so a log line records `error = causes(&error)`. A cause whose text is already included is not repeated.
#[must_use]
pub fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::causes;

    #[derive(Debug, thiserror::Error)]
    #[error("job not claimed")]
    struct Outer(#[from] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error("Redis is unavailable: {0}")]
    struct Middle(#[from] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("connection refused")]
    struct Inner;

    #[test]
    fn every_cause_is_written_once_and_in_order() {
        let error = Outer(Middle(Inner));
        assert_eq!(
            causes(&error),
            "job not claimed: Redis is unavailable: connection refused"
        );
    }

    #[test]
    fn error_without_a_cause_is_its_own_text() {
        assert_eq!(causes(&Inner), "connection refused");
    }
}
