//! A number, and what it may be at the most.

/// What was measured of one thing.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    limit: Option<f64>,
}

impl Figure {
    /// A number without a limit: for comparison.
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            value,
            unit,
            limit: None,
        }
    }

    /// A number that must not be above `limit`.
    pub(crate) fn at_most(self, limit: f64) -> Self {
        Self {
            limit: Some(limit),
            ..self
        }
    }

    /// Whether it is where it must be.
    pub(crate) fn holds(&self) -> bool {
        self.limit.is_none_or(|limit| self.value <= limit)
    }

    /// As a row of Markdown.
    pub(crate) fn row(&self) -> String {
        let Self {
            what,
            value,
            unit,
            limit,
        } = self;
        let verdict = match (limit, self.holds()) {
            (None, _) => "",
            (Some(_), true) => "yes",
            (Some(_), false) => "**no**",
        };
        let limit = limit.map_or_else(String::new, |limit| format!("{limit} {unit}"));
        format!(
            "| {what} | {} {unit} | {limit} | {verdict} |\n",
            readable(*value)
        )
    }
}

/// Three digits that say something.
fn readable(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        0.1.. => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Figure;

    #[test]
    fn a_number_over_its_limit_says_so() {
        let figure = Figure::new("size", 6.5, "MB");
        assert!(figure.holds());
        assert_eq!(figure.row(), "| size | 6.50 MB |  |  |\n");
        let figure = figure.at_most(6.0);
        assert!(!figure.holds());
        assert_eq!(figure.row(), "| size | 6.50 MB | 6 MB | **no** |\n");
    }
}
