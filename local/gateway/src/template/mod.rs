//! The SAM template, reduced to what runs: functions, their limits, variables and routes.

mod document;
mod expression;
mod route;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use route::{Pattern, Route, Segment, Verb};

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// It is not YAML, or a member has the wrong type.
    #[error("the template is not a valid SAM template")]
    Yaml(#[source] yaml_serde::Error),
    /// A function's properties are invalid.
    #[error("{resource}: its properties are invalid")]
    Function {
        /// The logical id.
        resource: String,
        /// Why they are invalid.
        #[source]
        source: yaml_serde::Error,
    },
    /// A function's `CodeUri` does not end in a name.
    #[error("{0}: its CodeUri does not end in a folder's name")]
    CodeUri(String),
    /// A route has an unknown form.
    #[error("{resource}: {route} is not a valid route")]
    Route {
        /// The logical id.
        resource: String,
        /// Its method and path.
        route: String,
    },
    /// A function's `ReservedConcurrentExecutions` has no value.
    #[error("{resource}: ReservedConcurrentExecutions cannot be evaluated: {reason}")]
    Reserved {
        /// The logical id.
        resource: String,
        /// The part that has no value.
        reason: String,
    },
    /// A parameter was given that the template does not declare.
    #[error("the template has no parameter {0}")]
    UnknownParameter(String),
    /// Two functions have the same folder name.
    #[error("two functions are called {0}")]
    DuplicateFunction(String),
    /// Two events have the same method and path.
    #[error("two events have the route {0}")]
    DuplicateRoute(String),
}

/// The functions of a template.
#[derive(Debug)]
pub(crate) struct Template {
    /// The functions, in the order of their logical ids.
    pub(crate) functions: Vec<Function>,
}

/// One function.
#[derive(Debug)]
pub(crate) struct Function {
    /// The last segment of its `CodeUri`: folder, binary and function have the same name.
    pub(crate) name: String,
    /// The timeout after which it is killed.
    pub(crate) timeout: Duration,
    /// In MB. The function sees the value, but nothing enforces it: a limit for the process needs cgroups, hence root.
    pub(crate) memory: u32,
    /// The maximum number of concurrent calls, from `ReservedConcurrentExecutions`; further calls are rejected.
    pub(crate) reserved: Option<usize>,
    /// The names of its variables, including `Globals`.
    pub(crate) variables: BTreeSet<String>,
    /// Its routes.
    pub(crate) routes: Vec<Route>,
}

impl Template {
    /// Reads a template file. `parameters` replace the template's defaults.
    pub(crate) fn read(path: &Path, parameters: &BTreeMap<String, String>) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, parameters)
    }

    /// Reads a template.
    pub(crate) fn parse(text: &str, parameters: &BTreeMap<String, String>) -> Result<Self, Error> {
        let document: document::Document = yaml_serde::from_str(text).map_err(Error::Yaml)?;
        let functions = document.functions(parameters)?;
        let mut names = BTreeSet::new();
        let mut routes = BTreeSet::new();
        for function in &functions {
            if !names.insert(&function.name) {
                return Err(Error::DuplicateFunction(function.name.clone()));
            }
            for route in &function.routes {
                if !routes.insert(route.to_string()) {
                    return Err(Error::DuplicateRoute(route.to_string()));
                }
            }
        }
        Ok(Self { functions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    fn own() -> Result<Template, Error> {
        Template::read(&root().join("template.yaml"), &BTreeMap::new())
    }

    fn parse(text: &str) -> Result<Template, Error> {
        Template::parse(text, &BTreeMap::new())
    }

    fn names(folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn project_template_is_parsed() {
        let template = own().unwrap();
        let queue = template
            .functions
            .iter()
            .find(|function| function.name == "queue")
            .unwrap();
        assert_eq!(queue.timeout, Duration::from_secs(29));
        assert_eq!(queue.memory, 256);
        assert!(queue.variables.contains("LOG_LEVEL"), "from Globals");
        assert!(queue.variables.contains("API_TOKEN"));
        assert!(
            !queue.variables.contains("DATABASE_URL"),
            "not its business"
        );
        let routes: Vec<String> = queue.routes.iter().map(ToString::to_string).collect();
        assert_eq!(
            routes,
            [
                "ANY /api/queue/audit-events",
                "ANY /api/queue/emails/bulk",
                "ANY /api/queue/notifications/bulk",
                "ANY /api/queue/emails",
                "ANY /api/queue/notifications",
            ]
        );
    }

    #[test]
    fn every_function_folder_has_a_template_block_and_the_reverse() {
        let mut folders = [names("functions/api"), names("functions/jobs")].concat();
        folders.sort();
        let template = own().unwrap();
        let mut blocks: Vec<String> = template
            .functions
            .into_iter()
            .map(|function| function.name)
            .collect();
        blocks.sort();
        assert_eq!(folders, blocks);
    }

    #[test]
    fn every_sample_event_matches_a_route_of_its_function() {
        let template = own().unwrap();
        let events = names("tests/events");
        for function in &template.functions {
            let sample = format!("{}.json", function.name);
            assert!(events.contains(&sample), "{sample} is missing");
        }
        for name in events {
            let text = std::fs::read(root().join("tests/events").join(&name)).unwrap();
            let event: serde_json::Value = serde_json::from_slice(&text).unwrap();
            let key = event["routeKey"].as_str().unwrap();
            let mut functions = template.functions.iter();
            let function = functions
                .find(|function| function.routes.iter().any(|route| route.to_string() == key))
                .unwrap();
            let case = name.strip_prefix(&function.name).unwrap();
            assert!(case == ".json" || case.starts_with('-'), "{name}");
        }
    }

    #[test]
    fn malformed_template_is_refused() {
        let function = |code: &str, path: &str| {
            format!(
                "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: {code}\n      \
                 Events:\n        E: {{ Type: HttpApi, Properties: {{ Method: GET, Path: '{path}' }} }}\n"
            )
        };
        assert!(parse(&function("a/b", "/x")).is_ok());
        assert!(matches!(parse("Resources: ["), Err(Error::Yaml(_))));
        assert!(matches!(parse("{}"), Err(Error::Yaml(_))));
        assert!(matches!(
            parse(&function("a/..", "/x")),
            Err(Error::CodeUri(_))
        ));
        assert!(matches!(
            parse(&function("[]", "/x")),
            Err(Error::Function { .. })
        ));
        for path in ["x", "/{", "/{}", "/{a+}/b", "/a{b}", "//"] {
            assert!(
                matches!(parse(&function("a/b", path)), Err(Error::Route { .. })),
                "{path}"
            );
        }
    }

    #[test]
    fn duplicate_route_is_refused() {
        let event = "{ Type: HttpApi, Properties: { Method: GET, Path: /x } }";
        let text = format!(
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: a\n      \
             Events: {{ A: {event}, B: {event} }}\n"
        );
        assert!(matches!(parse(&text), Err(Error::DuplicateRoute(_))));
    }
}
