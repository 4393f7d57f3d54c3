//! The same operation here and with the official client on Node, in one run.

/// Two numbers of one operation.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    what: String,
    unit: &'static str,
    ours: f64,
    node: f64,
}

impl Comparison {
    /// Creates a comparison of the times here and on Node.
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, ours: f64, node: f64) -> Self {
        Self {
            what: what.into(),
            unit,
            ours,
            node,
        }
    }

    /// Returns a Markdown row; the ratio is Node's time as a multiple of ours.
    pub(crate) fn row(&self) -> String {
        let Self {
            what,
            unit,
            ours,
            node,
        } = self;
        format!(
            "| {what} | {ours:.3} {unit} | {node:.3} {unit} | {:.1}x |\n",
            node / ours
        )
    }
}
