//! Selects the route of a request by the rules of HTTP APIs: the most specific path wins, and on one path the method's
//! own route wins over `ANY`.

use std::collections::BTreeMap;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::template::{Pattern, Segment, Template, Verb};

/// All routes of the template.
#[derive(Debug)]
pub(crate) struct Router {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    function: String,
    verb: Verb,
    pattern: Pattern,
    key: String,
}

/// The selected route of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match<'a> {
    /// The function to call.
    pub(crate) function: &'a str,
    /// The route as the event names it, such as `GET /api/queue/jobs/{jobId}`.
    pub(crate) key: &'a str,
    /// Path parameters, percent-decoded.
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Router {
    /// Creates the router, with the most specific routes first.
    pub(crate) fn new(template: &Template) -> Self {
        let mut entries: Vec<Entry> = template
            .functions
            .iter()
            .flat_map(|function| {
                function.routes.iter().map(|route| Entry {
                    function: function.name.clone(),
                    verb: route.verb.clone(),
                    pattern: route.pattern.clone(),
                    key: route.to_string(),
                })
            })
            .collect();
        entries.sort_by(|a, b| (&a.pattern, &a.verb).cmp(&(&b.pattern, &b.verb)));
        Self { entries }
    }

    /// Returns the route of a request; none if API Gateway answers 404, also if only the method differs.
    pub(crate) fn route(&self, method: &Method, path: &str) -> Option<Match<'_>> {
        self.entries
            .iter()
            .filter(|entry| entry.verb.admits(method))
            .find_map(|entry| {
                let parameters = match_path(&entry.pattern, path)?;
                Some(Match {
                    function: &entry.function,
                    key: &entry.key,
                    parameters,
                })
            })
    }
}

fn match_path(pattern: &Pattern, path: &str) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    let mut rest = path.strip_prefix('/')?;
    let mut segments = pattern.segments().iter().peekable();
    while let Some(segment) = segments.next() {
        if let Segment::Greedy(name) = segment {
            parameters.insert(name.clone(), decode(rest)?);
            return (!rest.is_empty()).then_some(parameters);
        }
        let (head, tail) = match rest.split_once('/') {
            Some((head, tail)) if segments.peek().is_some() => (head, tail),
            None if segments.peek().is_none() => (rest, ""),
            _ => return None,
        };
        match segment {
            Segment::Literal(literal) if decode(head)? == *literal => {}
            Segment::Parameter(name) if !head.is_empty() => {
                parameters.insert(name.clone(), decode(head)?);
            }
            _ => return None,
        }
        rest = tail;
    }
    Some(parameters)
}

fn decode(segment: &str) -> Option<String> {
    percent_decode_str(segment)
        .decode_utf8()
        .ok()
        .map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        let template = Template::parse(
            r"
Resources:
  Jobs:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/api/jobs
      Events:
        A: { Type: HttpApi, Properties: { Method: GET, Path: '/jobs/{jobId}' } }
        B: { Type: HttpApi, Properties: { Method: any, Path: '/jobs/{jobId}' } }
        C: { Type: HttpApi, Properties: { Method: GET, Path: '/jobs/stats' } }
        D: { Type: HttpApi, Properties: { Method: GET, Path: '/files/{rest+}' } }
        E: { Type: HttpApi, Properties: { Method: GET, Path: / } }
",
            &BTreeMap::new(),
        );
        Router::new(&template.unwrap())
    }

    fn key(method: &Method, path: &str) -> Option<String> {
        router()
            .route(method, path)
            .map(|route| route.key.to_owned())
    }

    #[test]
    fn most_specific_route_wins() {
        assert_eq!(
            key(&Method::GET, "/jobs/stats").as_deref(),
            Some("GET /jobs/stats")
        );
        assert_eq!(
            key(&Method::GET, "/jobs/7").as_deref(),
            Some("GET /jobs/{jobId}")
        );
        assert_eq!(
            key(&Method::DELETE, "/jobs/stats").as_deref(),
            Some("ANY /jobs/{jobId}")
        );
        assert_eq!(key(&Method::GET, "/").as_deref(), Some("GET /"));
    }

    #[test]
    fn unknown_path_is_not_routed() {
        for path in [
            "",
            "/jobs",
            "/jobs/",
            "/jobs/7/",
            "/jobs/7/x",
            "//jobs/7",
            "/files",
            "/files/",
            "/jobs/%ff",
            "*",
        ] {
            assert_eq!(key(&Method::GET, path), None, "{path}");
        }
        assert_eq!(key(&Method::HEAD, "/jobs/stats/x"), None);
    }

    #[test]
    fn path_parameters_are_decoded_after_splitting() {
        let router = router();
        let route = router.route(&Method::GET, "/jobs/a%2Fb%20c").unwrap();
        assert_eq!(route.parameters["jobId"], "a/b c");
        let route = router.route(&Method::GET, "/files/a/b%20c").unwrap();
        assert_eq!(route.parameters["rest"], "a/b c");
    }
}
