//! The tree of an expression, and its evaluation.

/// A part of an expression.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Number(f64),
    Retried,
    Negate(Box<Node>),
    Binary(u8, Box<Node>, Box<Node>),
    Call(Function, Vec<Node>),
}

/// A function of one or two numbers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Function {
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

impl Node {
    /// Evaluates the part after this number of retries.
    pub(super) fn value(&self, retried: f64) -> f64 {
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
    /// Returns the function with this name, and its number of arguments.
    pub(super) fn named(name: &str) -> Option<(Self, usize)> {
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
