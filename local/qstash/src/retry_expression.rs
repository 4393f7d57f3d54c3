//! The expression of `Upstash-Retry-Delay`: arithmetic over `retried`, in milliseconds.
//!
//! `pow sqrt abs exp floor ceil round min max`, `+ - * /` and parentheses; `retried` is 0 for the first retry.
//! Source: <https://upstash.com/docs/qstash/features/retry>.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Longer texts and deeper nesting are refused: the parser recurses.
const MAX_LENGTH: usize = 1_000;
const MAX_DEPTH: usize = 64;

/// No retry waits longer than this.
const MAX_DELAY: Duration = Duration::from_hours(365 * 24);

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// More than a thousand characters, or more than 64 levels.
    #[error("the retry delay expression is too long or nested too deeply")]
    TooLarge,
    /// Something stands where it may not.
    #[error("the retry delay expression is not understood at character {0}")]
    Unexpected(usize),
    /// A name that is neither `retried` nor a function.
    #[error("the retry delay expression names `{0}`, which is not known")]
    Unknown(String),
    /// A function with too few or too many arguments.
    #[error("`{0}` in the retry delay expression has the wrong number of arguments")]
    Arguments(String),
}

/// A parsed expression; the text is kept, because the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct RetryExpression {
    text: String,
    root: Node,
}

#[derive(Debug, Clone)]
enum Node {
    Number(f64),
    Retried,
    Negate(Box<Node>),
    Binary(u8, Box<Node>, Box<Node>),
    Call(Function, Vec<Node>),
}

#[derive(Debug, Clone, Copy)]
enum Function {
    Pow,
    Sqrt,
    Abs,
    Exp,
    Floor,
    Ceil,
    Round,
    Min,
    Max,
}

impl RetryExpression {
    /// Parses and checks an expression.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_LENGTH {
            return Err(Error::TooLarge);
        }
        let mut parser = Parser {
            text: text.as_bytes(),
            at: 0,
            depth: 0,
        };
        let root = parser.sum()?;
        parser.skip_space();
        if parser.at < parser.text.len() {
            return Err(Error::Unexpected(parser.at));
        }
        Ok(Self {
            text: text.to_owned(),
            root,
        })
    }

    /// The delay before the retry after `retried` retries. What is not a positive number is no delay.
    pub(crate) fn delay(&self, retried: u32) -> Duration {
        let millis = self.root.value(f64::from(retried));
        if millis.is_nan() || millis <= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(millis / 1_000.0)
            .map_or(MAX_DELAY, |delay| delay.min(MAX_DELAY))
    }

    /// The expression as it was written.
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

impl Node {
    fn value(&self, retried: f64) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Retried => retried,
            Self::Negate(inner) => -inner.value(retried),
            Self::Binary(operator, left, right) => {
                let (left, right) = (left.value(retried), right.value(retried));
                match operator {
                    b'+' => left + right,
                    b'-' => left - right,
                    b'*' => left * right,
                    _ => left / right,
                }
            }
            Self::Call(function, arguments) => {
                let value = |at: usize| {
                    arguments
                        .get(at)
                        .map_or(f64::NAN, |node| node.value(retried))
                };
                function.apply(value(0), value(1))
            }
        }
    }
}

impl Function {
    fn named(name: &str) -> Option<(Self, usize)> {
        Some(match name {
            "pow" => (Self::Pow, 2),
            "sqrt" => (Self::Sqrt, 1),
            "abs" => (Self::Abs, 1),
            "exp" => (Self::Exp, 1),
            "floor" => (Self::Floor, 1),
            "ceil" => (Self::Ceil, 1),
            "round" => (Self::Round, 1),
            "min" => (Self::Min, 2),
            "max" => (Self::Max, 2),
            _ => return None,
        })
    }

    fn apply(self, first: f64, second: f64) -> f64 {
        match self {
            Self::Pow => first.powf(second),
            Self::Sqrt => first.sqrt(),
            Self::Abs => first.abs(),
            Self::Exp => first.exp(),
            Self::Floor => first.floor(),
            Self::Ceil => first.ceil(),
            Self::Round => first.round(),
            Self::Min => first.min(second),
            Self::Max => first.max(second),
        }
    }
}

/// Recursive descent: sum, product, factor.
struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn skip_space(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, one_of: &[u8]) -> Option<u8> {
        self.skip_space();
        let next = *self.text.get(self.at)?;
        one_of.contains(&next).then(|| {
            self.at += 1;
            next
        })
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        self.take(&[byte])
            .map(drop)
            .ok_or(Error::Unexpected(self.at))
    }

    fn sum(&mut self) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::TooLarge);
        }
        let mut left = self.product()?;
        while let Some(operator) = self.take(b"+-") {
            left = Node::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Result<Node, Error> {
        let mut left = self.factor()?;
        while let Some(operator) = self.take(b"*/") {
            left = Node::Binary(operator, Box::new(left), Box::new(self.factor()?));
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Node, Error> {
        let mut negative = false;
        while let Some(sign) = self.take(b"+-") {
            negative ^= sign == b'-';
        }
        let node = if self.take(b"(").is_some() {
            let inner = self.sum()?;
            self.expect(b')')?;
            inner
        } else {
            self.atom()?
        };
        Ok(if negative {
            Node::Negate(Box::new(node))
        } else {
            node
        })
    }

    fn atom(&mut self) -> Result<Node, Error> {
        self.skip_space();
        let start = self.at;
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'.' || *b == b'_';
        while self.text.get(self.at).is_some_and(is_part) {
            self.at += 1;
        }
        let word = self
            .text
            .get(start..self.at)
            .and_then(|word| std::str::from_utf8(word).ok());
        let word = word
            .filter(|word| !word.is_empty())
            .ok_or(Error::Unexpected(start))?;
        if word.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return word
                .parse()
                .map(Node::Number)
                .map_err(|_| Error::Unexpected(start));
        }
        if word == "retried" {
            return Ok(Node::Retried);
        }
        let (function, arity) =
            Function::named(word).ok_or_else(|| Error::Unknown(word.to_owned()))?;
        let name = word.to_owned();
        let arguments = self.arguments()?;
        if arguments.len() == arity {
            Ok(Node::Call(function, arguments))
        } else {
            Err(Error::Arguments(name))
        }
    }

    fn arguments(&mut self) -> Result<Vec<Node>, Error> {
        self.expect(b'(')?;
        let mut arguments = vec![self.sum()?];
        while self.take(b",").is_some() {
            arguments.push(self.sum()?);
        }
        self.expect(b')')?;
        Ok(arguments)
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
    fn what_is_not_a_positive_number_is_no_delay() {
        assert_eq!(delay_ms("-5", 0), 0);
        assert_eq!(delay_ms("sqrt(-1)", 0), 0);
        assert_eq!(delay_ms("0 / 0", 0), 0);
    }

    #[test]
    fn an_endless_delay_is_held_at_a_year() {
        assert_eq!(delay_ms("1 / 0", 0), MAX_DELAY.as_millis());
    }

    #[test]
    fn nonsense_is_refused() {
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
        fn no_text_makes_it_panic(text in ".{0,60}", retried in 0u32..20) {
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
