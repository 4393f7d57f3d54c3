//! The operations of docs/openapi.json, for generating bad requests.

use std::fmt;

use http::{Method, StatusCode};
use serde_json::Value;

/// An operation of the document.
pub(super) struct Operation {
    pub(super) method: Method,
    path: String,
    spec: Value,
    document: Value,
}

/// Returns all operations.
pub(super) fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, spec) in methods.as_object().unwrap() {
            all.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                spec: spec.clone(),
                document: document.clone(),
            });
        }
    }
    all
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Operation {
    /// Returns whether its body is JSON and needs the service token: providers' messages are parsed in another way.
    pub(super) fn takes_json(&self) -> bool {
        let body = &self.spec["requestBody"]["content"]["application/json"];
        body.is_object() && self.spec["security"].is_array()
    }

    /// Returns whether the document lists this status for it.
    pub(super) fn answers(&self, status: StatusCode) -> bool {
        self.spec["responses"].get(status.as_str()).is_some()
    }

    /// Returns its path, with a valid value for each parameter.
    pub(super) fn usual_path(&self) -> String {
        self.parameters("path")
            .fold(self.path.clone(), |path, parameter| {
                let schema = self.resolved(&parameter["schema"]);
                let usual = schema["enum"][0].as_str();
                let usual = usual.unwrap_or("01985c00-0000-7000-8000-00000000000a");
                path.replace(&placeholder(parameter), usual)
            })
    }

    /// Returns its path with this value for each parameter in turn.
    pub(super) fn paths_with(&self, odd: &str) -> Vec<String> {
        let path = self.path.clone();
        self.parameters("path")
            .map(|parameter| {
                let odd = path.replace(&placeholder(parameter), odd);
                self.parameters("path").fold(odd, |path, other| {
                    path.replace(&placeholder(other), "01985c00-0000-7000-8000-00000000000a")
                })
            })
            .collect()
    }

    /// Returns its path and a query with this value for each parameter in turn.
    pub(super) fn queries_with(&self, odd: &str) -> Vec<String> {
        let path = self.usual_path();
        self.queries()
            .map(|(name, _)| format!("{path}?{name}={odd}"))
            .collect()
    }

    /// Returns the parameters of its query, with their schemas.
    pub(super) fn queries(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.parameters("query")
            .map(|it| (it["name"].as_str().unwrap(), self.resolved(&it["schema"])))
    }

    /// Returns the members of its body, with their schemas.
    pub(super) fn members(&self) -> Vec<(String, Value)> {
        if !self.takes_json() {
            return Vec::new();
        }
        let schema = &self.spec["requestBody"]["content"]["application/json"]["schema"];
        let schema = self.resolved(schema);
        let object = match schema["allOf"][0].as_object() {
            Some(_) => self.resolved(&schema["allOf"][0]),
            None => schema,
        };
        let members = object["properties"].as_object().into_iter().flatten();
        members
            .map(|(name, schema)| (name.clone(), schema.clone()))
            .collect()
    }

    /// Returns whether a value has a type that the schema allows.
    pub(super) fn may_be(&self, schema: &Value, value: &Value) -> bool {
        let schema = self.resolved(schema);
        for word in ["oneOf", "anyOf", "allOf"] {
            if let Some(parts) = schema[word].as_array() {
                let mut parts = parts.iter().map(|part| self.may_be(part, value));
                return if word == "allOf" {
                    parts.all(|may| may)
                } else {
                    parts.any(|may| may)
                };
            }
        }
        match &schema["type"] {
            Value::String(only) => is_of(value, only),
            Value::Array(types) => types.iter().any(|it| is_of(value, it.as_str().unwrap())),
            _ => true,
        }
    }

    fn parameters(&self, place: &str) -> impl Iterator<Item = &Value> {
        let all = self.spec["parameters"].as_array().into_iter().flatten();
        all.filter(move |parameter| parameter["in"] == place)
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.document.pointer(&reference[1..]).unwrap(),
            None => schema,
        }
    }
}

fn placeholder(parameter: &Value) -> String {
    format!("{{{}}}", parameter["name"].as_str().unwrap())
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}
