//! A route: a method and a path with parameters. The types are ordered by specificity, so that sorting puts the route
//! that API Gateway prefers first.

use std::fmt;

use http::Method;

/// A specific method, or `ANY`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    /// This method, in capitals.
    Only(String),
    /// Every method.
    Any,
}

/// One segment of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Segment {
    /// This text.
    Literal(String),
    /// `{name}`: any text.
    Parameter(String),
    /// `{name+}`: the rest of the path; only at the end.
    Greedy(String),
}

/// A path of literals and parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pattern(Vec<Segment>);

/// A method and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// The accepted methods.
    pub(crate) verb: Verb,
    /// The accepted paths.
    pub(crate) pattern: Pattern,
}

impl Route {
    /// Parses a route; none if it is invalid.
    pub(crate) fn parse(method: &str, path: &str) -> Option<Self> {
        Some(Self {
            verb: Verb::parse(method)?,
            pattern: Pattern::parse(path)?,
        })
    }
}

impl Verb {
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_uppercase();
        match text.as_str() {
            "ANY" | "X-AMAZON-APIGATEWAY-ANY-METHOD" => Some(Self::Any),
            _ => Method::from_bytes(text.as_bytes())
                .ok()
                .map(|method| Self::Only(method.to_string())),
        }
    }

    /// Returns whether the route accepts this method.
    pub(crate) fn admits(&self, method: &Method) -> bool {
        match self {
            Self::Only(only) => only == method.as_str(),
            Self::Any => true,
        }
    }
}

impl Pattern {
    fn parse(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        if path.is_empty() {
            return Some(Self(vec![Segment::Literal(String::new())]));
        }
        let segments = path
            .split('/')
            .map(Segment::parse)
            .collect::<Option<Vec<_>>>()?;
        let (_, before_last) = segments.split_last()?;
        let greedy_inside = before_last
            .iter()
            .any(|segment| matches!(segment, Segment::Greedy(_)));
        (!greedy_inside).then_some(Self(segments))
    }

    /// Returns its segments; `/` has one, the empty literal.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Self> {
        let braced = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        let segment = match braced {
            None => Self::Literal(text.to_owned()),
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name.to_owned()),
                None => Self::Parameter(name.to_owned()),
            },
        };
        let name = match &segment {
            Self::Literal(name) | Self::Parameter(name) | Self::Greedy(name) => name,
        };
        (!name.is_empty() && !name.contains(['{', '}'])).then_some(segment)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verb {
            Verb::Only(method) => write!(f, "{method} ")?,
            Verb::Any => f.write_str("ANY ")?,
        }
        self.pattern
            .segments()
            .iter()
            .try_for_each(|segment| match segment {
                Segment::Literal(text) => write!(f, "/{text}"),
                Segment::Parameter(name) => write!(f, "/{{{name}}}"),
                Segment::Greedy(name) => write!(f, "/{{{name}+}}"),
            })
    }
}
