//! A number, and the bound that it has to keep.

/// What was measured of one thing.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    bound: Option<Bound>,
}

/// What a number has to keep to.
#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    /// A number without a bound: for comparison.
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            value,
            unit,
            bound: None,
        }
    }

    /// A number that must not be above `limit`.
    pub(crate) fn at_most(self, limit: f64) -> Self {
        Self {
            bound: Some(Bound::AtMost(limit)),
            ..self
        }
    }

    /// A number that must not be below `goal`.
    pub(crate) fn at_least(self, goal: f64) -> Self {
        Self {
            bound: Some(Bound::AtLeast(goal)),
            ..self
        }
    }

    /// Whether it is where it must be.
    pub(crate) fn holds(&self) -> bool {
        match self.bound {
            None => true,
            Some(Bound::AtMost(limit)) => self.value <= limit,
            Some(Bound::AtLeast(goal)) => self.value >= goal,
        }
    }

    /// As a row of Markdown.
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
