//! A measured number and its bound.

/// A measured number.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    bound: Option<Bound>,
}

/// The bound of a number.
#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    /// Creates a number without a bound: for comparison.
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            value,
            unit,
            bound: None,
        }
    }

    /// Sets the maximum.
    pub(crate) fn at_most(self, limit: f64) -> Self {
        Self {
            bound: Some(Bound::AtMost(limit)),
            ..self
        }
    }

    /// Sets the minimum.
    pub(crate) fn at_least(self, goal: f64) -> Self {
        Self {
            bound: Some(Bound::AtLeast(goal)),
            ..self
        }
    }

    /// Returns whether the number is within its bound.
    pub(crate) fn holds(&self) -> bool {
        match self.bound {
            None => true,
            Some(Bound::AtMost(limit)) => self.value <= limit,
            Some(Bound::AtLeast(goal)) => self.value >= goal,
        }
    }

    /// Returns a Markdown row.
    pub(crate) fn row(&self) -> String {
        let Self {
            what,
            value,
            unit,
            bound,
        } = self;
        let verdict = match (bound, self.holds()) {
            (None, _) => "",
            (Some(_), true) => "yes",
            (Some(_), false) => "**no**",
        };
        let bound = match bound {
            None => String::new(),
            Some(Bound::AtMost(limit)) => format!("at most {limit} {unit}"),
            Some(Bound::AtLeast(goal)) => format!("at least {goal} {unit}"),
        };
        format!(
            "| {what} | {} {unit} | {bound} | {verdict} |\n",
            readable(*value)
        )
    }
}

/// Returns three significant digits.
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
    fn figure_beyond_its_bound_is_marked() {
        let figure = Figure::new("size", 6.5, "MB");
        assert!(figure.holds());
        assert_eq!(figure.row(), "| size | 6.50 MB |  |  |\n");
        let figure = figure.at_most(6.0);
        assert!(!figure.holds());
        assert_eq!(figure.row(), "| size | 6.50 MB | at most 6 MB | **no** |\n");
        let figure = Figure::new("events", 6.5, "per s").at_least(6.0);
        assert!(figure.holds());
        assert_eq!(
            figure.row(),
            "| events | 6.50 per s | at least 6 per s | yes |\n"
        );
        assert!(!figure.at_least(7.0).holds());
    }
}
