//! The structure of a SAM template in YAML, reduced to the members used here. Values with `!Ref` and similar functions
//! stay unevaluated: variables get their values by name from the local environment. Only reserved concurrency is
//! evaluated.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use yaml_serde::Value;

use super::expression::Expressions;
use super::{Error, Function, Route};

/// Lambda's default of `Timeout`, in seconds.
const TIMEOUT: u64 = 3;
/// Lambda's default of `MemorySize`, in MB.
const MEMORY: u32 = 128;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Document {
    #[serde(default)]
    globals: Globals,
    #[serde(default)]
    parameters: BTreeMap<String, Parameter>,
    #[serde(default)]
    conditions: BTreeMap<String, Value>,
    resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    #[serde(default)]
    default: Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Globals {
    #[serde(default)]
    function: Shared,
}

/// The members that `Globals` and a function share.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Shared {
    timeout: Option<u64>,
    memory_size: Option<u32>,
    #[serde(default)]
    reserved_concurrent_executions: Value,
    #[serde(default)]
    environment: Environment,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Environment {
    #[serde(default)]
    variables: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    r#type: String,
    #[serde(default)]
    properties: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    code_uri: String,
    #[serde(default)]
    events: BTreeMap<String, Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    r#type: String,
    #[serde(default)]
    properties: HttpApi,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct HttpApi {
    method: Option<String>,
    path: Option<String>,
}

impl Document {
    /// Returns the functions of the document.
    pub(super) fn functions(
        &self,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Vec<Function>, Error> {
        let unknown = |name: &&String| !self.parameters.contains_key(*name);
        if let Some(name) = parameters.keys().find(unknown) {
            return Err(Error::UnknownParameter(name.clone()));
        }
        let expressions = Expressions {
            parameters: self
                .parameters
                .iter()
                .map(|(name, parameter)| {
                    let given = parameters.get(name).cloned().map(Value::String);
                    (
                        name.as_str(),
                        given.unwrap_or_else(|| parameter.default.clone()),
                    )
                })
                .collect(),
            conditions: &self.conditions,
        };
        self.resources
            .iter()
            .filter(|(_, resource)| resource.r#type == "AWS::Serverless::Function")
            .map(|(id, resource)| self.function(id, resource, &expressions))
            .collect()
    }

    fn function(
        &self,
        id: &str,
        resource: &Resource,
        expressions: &Expressions<'_>,
    ) -> Result<Function, Error> {
        let properties: Properties = read(id, resource)?;
        let (own, global): (Shared, _) = (read(id, resource)?, &self.globals.function);
        let reserved = [&own, global]
            .map(|shared| &shared.reserved_concurrent_executions)
            .into_iter()
            .find(|value| !value.is_null());
        Ok(Function {
            name: folder(id, &properties.code_uri)?,
            timeout: Duration::from_secs(own.timeout.or(global.timeout).unwrap_or(TIMEOUT)),
            memory: own.memory_size.or(global.memory_size).unwrap_or(MEMORY),
            reserved: reserved
                .map_or(Ok(None), |value| expressions.count(value))
                .map_err(|reason| Error::Reserved {
                    resource: id.to_owned(),
                    reason,
                })?,
            variables: names(&own).chain(names(global)).collect::<BTreeSet<_>>(),
            routes: routes(id, &properties.events)?,
        })
    }
}

/// Returns one view of a resource's properties. (Serde's `flatten` would lose the tags, because it buffers.)
fn read<T: DeserializeOwned>(id: &str, resource: &Resource) -> Result<T, Error> {
    yaml_serde::from_value(resource.properties.clone()).map_err(|source| Error::Function {
        resource: id.to_owned(),
        source,
    })
}

fn names(shared: &Shared) -> impl Iterator<Item = String> {
    shared.environment.variables.keys().cloned()
}

fn folder(id: &str, code_uri: &str) -> Result<String, Error> {
    let name = std::path::Path::new(code_uri)
        .file_name()
        .and_then(|name| name.to_str());
    name.map(str::to_owned)
        .ok_or_else(|| Error::CodeUri(id.to_owned()))
}

fn routes(id: &str, events: &BTreeMap<String, Event>) -> Result<Vec<Route>, Error> {
    let http = events.values().filter(|event| event.r#type == "HttpApi");
    http.map(|event| {
        let method = event.properties.method.as_deref().unwrap_or("ANY");
        let path = event.properties.path.as_deref().unwrap_or_default();
        Route::parse(method, path).ok_or_else(|| Error::Route {
            resource: id.to_owned(),
            route: format!("{method} {path}"),
        })
    })
    .collect()
}
