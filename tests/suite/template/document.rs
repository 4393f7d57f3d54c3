//! Reads template.yaml as plain JSON in which `!Ref X` is `{"!Ref": "X"}`, and its functions.

use serde_json::{Map, Value, json};
use yaml_serde::Value as Yaml;

use super::read;

/// template.yaml.
pub(crate) struct Template(Value);

/// One function of it.
pub(crate) struct Function<'a> {
    /// Its logical id.
    pub(crate) id: &'a str,
    /// The last segment of its `CodeUri`, which is the name of its folder and binary.
    pub(crate) name: &'a str,
    /// Its own properties, without `Globals`.
    pub(crate) properties: &'a Value,
}

impl Template {
    /// Reads the template.
    pub(crate) fn read() -> Self {
        Self::parse(&read("template.yaml"))
    }

    /// Parses a template from its text.
    pub(crate) fn parse(text: &str) -> Self {
        let yaml: Yaml = yaml_serde::from_str(text).unwrap();
        Self(plain(yaml))
    }

    /// Returns every resource by its logical id.
    pub(crate) fn resources(&self) -> &Map<String, Value> {
        self.0["Resources"].as_object().unwrap()
    }

    /// Returns every resource of a type.
    pub(crate) fn all<'a>(
        &'a self,
        kind: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.resources()
            .iter()
            .filter(move |(_, resource)| resource["Type"] == kind)
    }

    /// Returns the properties of every function from `Globals`.
    pub(crate) fn shared(&self) -> &Value {
        &self.0["Globals"]["Function"]
    }

    /// Returns every parameter by its name.
    pub(crate) fn parameters(&self) -> &Map<String, Value> {
        self.0["Parameters"].as_object().unwrap()
    }

    /// Returns the functions, in the order of their logical ids.
    pub(crate) fn functions(&self) -> Vec<Function<'_>> {
        let functions = self.all("AWS::Serverless::Function").map(|(id, resource)| {
            let properties = &resource["Properties"];
            let folder = properties["CodeUri"].as_str().unwrap();
            Function {
                id,
                name: folder.rsplit('/').next().unwrap(),
                properties,
            }
        });
        functions.collect()
    }

    /// Returns the function that `{"!Ref": id}` names.
    pub(crate) fn referred(&self, reference: &Value) -> Function<'_> {
        let id = reference["!Ref"].as_str();
        let mut functions = self.functions().into_iter();
        functions
            .find(|function| Some(function.id) == id)
            .unwrap_or_else(|| panic!("{reference} is no function"))
    }
}

impl Function<'_> {
    /// Returns its own variables.
    pub(crate) fn variables(&self) -> Map<String, Value> {
        let variables = &self.properties["Environment"]["Variables"];
        variables.as_object().cloned().unwrap_or_default()
    }
}

/// Returns YAML as JSON.
fn plain(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(bool) => bool.into(),
        Yaml::Number(number) => number
            .as_u64()
            .map_or_else(|| json!(number.as_f64()), Into::into),
        Yaml::String(text) => text.into(),
        Yaml::Sequence(items) => items.into_iter().map(plain).collect(),
        Yaml::Mapping(members) => members
            .into_iter()
            .map(|(name, value)| (name.as_str().unwrap().to_owned(), plain(value)))
            .collect(),
        Yaml::Tagged(tagged) => json!({ tagged.tag.to_string(): plain(tagged.value) }),
    }
}

/// Returns every value of a member called `name`, at any depth.
pub(crate) fn everywhere<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(member, value)| {
                let here = (member == name).then_some(value);
                here.into_iter().chain(everywhere(value, name))
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .flat_map(|item| everywhere(item, name))
            .collect(),
        _ => Vec::new(),
    }
}

/// Returns the texts of a member with one or a list of them.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        value => value.as_str().into_iter().collect(),
    }
}
