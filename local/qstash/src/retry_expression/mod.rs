//! The expression of `Upstash-Retry-Delay`: arithmetic over `retried`, in milliseconds.
//!
//! `pow sqrt abs exp floor ceil round min max`, `+ - * /` and parentheses; `retried` is 0 for the first retry.
//! Source: <https://upstash.com/docs/qstash/features/retry>.

mod node;
mod parser;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use node::Node;
use parser::Parser;

/// The longest accepted text.
const MAX_LENGTH: usize = 1_000;

/// The longest delay of a retry.
const MAX_DELAY: Duration = Duration::from_hours(365 * 24);

/// Why a text is not an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// More than a thousand characters, or more than 64 levels.
    #[error("the retry delay expression is too long or nested too deeply")]
    TooLarge,
    /// The syntax is invalid.
    #[error("the retry delay expression is not understood at character {0}")]
    Unexpected(usize),
    /// The name is neither `retried` nor a function.
    #[error("the retry delay expression names `{0}`, which is not known")]
    Unknown(String),
    /// The function has the wrong number of arguments.
    #[error("`{0}` in the retry delay expression has the wrong number of arguments")]
    Arguments(String),
}

/// A parsed expression with its text, because the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct RetryExpression {
    text: String,
    root: Node,
}

impl RetryExpression {
    /// Parses and checks an expression.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_LENGTH {
            return Err(Error::TooLarge);
        }
        let root = Parser::parse(text)?;
        Ok(Self {
            text: text.to_owned(),
            root,
        })
    }

    /// Returns the delay before the retry after `retried` retries. A result that is not positive means no delay.
    pub(crate) fn delay(&self, retried: u32) -> Duration {
        let millis = self.root.value(f64::from(retried));
        if millis.is_nan() || millis <= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(millis / 1_000.0)
            .map_or(MAX_DELAY, |delay| delay.min(MAX_DELAY))
    }

    /// Returns the expression as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for RetryExpression {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<RetryExpression> for String {
    fn from(expression: RetryExpression) -> Self {
        expression.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn delay_ms(text: &str, retried: u32) -> u128 {
        RetryExpression::parse(text)
            .expect(text)
            .delay(retried)
            .as_millis()
    }

    #[test]
    fn documented_expressions_give_the_documented_delays() {
        assert_eq!(delay_ms("1000", 0), 1_000);
        assert_eq!(delay_ms("1000 * (1 + retried)", 2), 3_000);
        assert_eq!(delay_ms("pow(2, retried) * 1000", 4), 16_000);
        assert_eq!(delay_ms("max(1000, pow(2, retried) * 100)", 1), 1_000);
        assert_eq!(
            delay_ms("min(86400000, exp(2.5 * retried) * 1000)", 6),
            86_400_000
        );
        assert_eq!(delay_ms("1 + 2 * 3 - 8 / 4", 0), 5);
        assert_eq!(
            delay_ms("round(1.6) + floor(1.6) + ceil(1.2) + abs(-4) + sqrt(9)", 0),
            12
        );
    }

    #[test]
    fn result_that_is_not_a_positive_number_is_zero_delay() {
        assert_eq!(delay_ms("-5", 0), 0);
        assert_eq!(delay_ms("sqrt(-1)", 0), 0);
        assert_eq!(delay_ms("0 / 0", 0), 0);
    }

    #[test]
    fn infinite_delay_is_capped_at_a_year() {
        assert_eq!(delay_ms("1 / 0", 0), MAX_DELAY.as_millis());
    }

    #[test]
    fn malformed_retry_expression_is_refused() {
        let deep = "(".repeat(500);
        for text in [
            "",
            "retried +",
            "foo(1)",
            "pow(2)",
            "min(1,2,3)",
            "1 2",
            "retries",
            "1..2",
            "(1",
            deep.as_str(),
        ] {
            assert!(RetryExpression::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_expression_text_does_not_panic(text in ".{0,60}", retried in 0u32..20) {
            if let Ok(expression) = RetryExpression::parse(&text) {
                let _ = expression.delay(retried);
            }
        }

        #[test]
        fn products_bind_tighter_than_sums(a in 0u32..1000, b in 0u32..1000, c in 0u32..1000) {
            prop_assert_eq!(delay_ms(&format!("{a} + {b} * {c}"), 0), u128::from(a + b * c));
            prop_assert_eq!(delay_ms(&format!("({a}+{b})*{c}"), 0), u128::from((a + b) * c));
        }
    }
}
