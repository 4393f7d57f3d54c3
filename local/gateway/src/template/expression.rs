//! `CloudFormation`'s intrinsic functions that a number may depend on: `Ref` to a parameter or to `AWS::NoValue`, `If`,
//! `Equals`, `And`, `Or`, `Not` and `Condition`, in the short form and in the long one.

use std::collections::BTreeMap;

use yaml_serde::Value;

/// The maximum depth of conditions that refer to each other; `CloudFormation` rejects cycles.
const MAX_DEPTH: usize = 32;

/// The context of expressions.
pub(super) struct Expressions<'a> {
    /// The value of each parameter: the given one, else its default, else null.
    pub(super) parameters: BTreeMap<&'a str, Value>,
    /// The template's `Conditions`.
    pub(super) conditions: &'a BTreeMap<String, Value>,
}

impl Expressions<'_> {
    /// Returns an integer; none if the property is omitted. Errors with the part that has no value.
    pub(super) fn count(&self, value: &Value) -> Result<Option<usize>, String> {
        let value = self.value(value, 0)?;
        if value.is_null() {
            return Ok(None);
        }
        let text = scalar(&value)?;
        text.parse()
            .map(Some)
            .map_err(|_| format!("{text} is not a whole number"))
    }

    fn value(&self, value: &Value, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err("conditions refer to each other in a circle".to_owned());
        }
        let Some((function, argument)) = call(value) else {
            return Ok(value.clone());
        };
        match function.as_str() {
            "Ref" => self.reference(&argument),
            "If" => {
                let [condition, then, otherwise] = list(&argument, "If")?;
                let holds = self.holds(condition, depth + 1)?;
                self.value(if holds { then } else { otherwise }, depth + 1)
            }
            other => Err(format!("{other} is not evaluated here")),
        }
    }

    fn reference(&self, name: &Value) -> Result<Value, String> {
        let name = scalar(name)?;
        if name == "AWS::NoValue" {
            return Ok(Value::Null);
        }
        match self.parameters.get(name.as_str()) {
            Some(value) if !value.is_null() => Ok(value.clone()),
            Some(_) => Err(format!("the parameter {name} has no default")),
            None => Err(format!("there is no parameter {name}")),
        }
    }

    /// Returns whether a named condition holds.
    fn holds(&self, name: &Value, depth: usize) -> Result<bool, String> {
        let name = scalar(name)?;
        let condition = self.conditions.get(&name);
        let condition = condition.ok_or_else(|| format!("there is no condition {name}"))?;
        self.condition(condition, depth + 1)
    }

    fn condition(&self, condition: &Value, depth: usize) -> Result<bool, String> {
        if depth > MAX_DEPTH {
            return Err("conditions refer to each other in a circle".to_owned());
        }
        let (function, argument) =
            call(condition).ok_or("a condition is none of CloudFormation's functions")?;
        let parts = || -> Result<Vec<bool>, String> {
            let parts = argument.as_sequence().map_or(&[][..], Vec::as_slice);
            parts
                .iter()
                .map(|part| self.condition(part, depth + 1))
                .collect()
        };
        match function.as_str() {
            "Condition" => self.holds(&argument, depth + 1),
            "Equals" => {
                let [left, right] = list(&argument, "Equals")?;
                let left = scalar(&self.value(left, depth + 1)?)?;
                Ok(left == scalar(&self.value(right, depth + 1)?)?)
            }
            "And" => Ok(parts()?.into_iter().all(|part| part)),
            "Or" => Ok(parts()?.into_iter().any(|part| part)),
            "Not" => Ok(!parts()?.into_iter().all(|part| part)),
            other => Err(format!("{other} is not evaluated here")),
        }
    }
}

/// Returns the intrinsic function of a value, without `Fn::`, and its argument: `!Ref X` or `{Ref: X}`.
fn call(value: &Value) -> Option<(String, Value)> {
    if let Value::Tagged(tagged) = value {
        let name = tagged.tag.to_string();
        let name = name.trim_start_matches('!').to_owned();
        return Some((name, tagged.value.clone()));
    }
    let mapping = value.as_mapping().filter(|mapping| mapping.len() == 1)?;
    let (name, argument) = mapping.iter().next()?;
    let name = name.as_str()?;
    let known = name == "Ref" || name == "Condition";
    let name = name.strip_prefix("Fn::").or(known.then_some(name))?;
    Some((name.to_owned(), argument.clone()))
}

fn list<'a, const N: usize>(argument: &'a Value, of: &str) -> Result<&'a [Value; N], String> {
    let items = argument.as_sequence().map(Vec::as_slice);
    items
        .and_then(|items| items.try_into().ok())
        .ok_or_else(|| format!("{of} takes {N} values"))
}

/// Returns text, a number or a boolean as text, which is how `CloudFormation` compares them.
fn scalar(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        _ => Err("text or a number is expected".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::template::{Error, Template};

    const TEMPLATE: &str = r#"
Parameters:
  Reserve: { Type: String, Default: "true" }
  Few: { Type: Number, Default: 4 }
  Given: { Type: Number }
Conditions:
  Reserves: !Equals [!Ref Reserve, "true"]
  Long: { "Fn::Not": [ { "Fn::And": [ { Condition: Reserves }, { "Fn::Equals": [ { Ref: Few }, "4" ] } ] } ] }
  Circle: !Or [ !Condition Circle, !Equals [a, b] ]
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: a/f
      ReservedConcurrentExecutions: EXPRESSION
"#;

    fn reserved(expression: &str, given: &[(&str, &str)]) -> Result<Option<usize>, Error> {
        let given: BTreeMap<String, String> = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let template = Template::parse(&TEMPLATE.replace("EXPRESSION", expression), &given)?;
        Ok(template.functions[0].reserved)
    }

    #[test]
    fn reserved_concurrency_is_evaluated_through_parameters_and_conditions() {
        let usual = "!If [Reserves, !Ref Few, !Ref AWS::NoValue]";
        for (expression, given, expected) in [
            ("7", vec![], Some(7)),
            ("!Ref Few", vec![], Some(4)),
            ("{ Ref: Few }", vec![("Few", "2")], Some(2)),
            (usual, vec![], Some(4)),
            (usual, vec![("Few", "1")], Some(1)),
            (usual, vec![("Reserve", "false")], None),
            ("{ 'Fn::If': [Long, 1, 2] }", vec![], Some(2)),
            ("{ 'Fn::If': [Long, 1, 2] }", vec![("Few", "5")], Some(1)),
            ("!Ref Given", vec![("Given", "9")], Some(9)),
        ] {
            let found = reserved(expression, &given).unwrap();
            assert_eq!(found, expected, "{expression} {given:?}");
        }
    }

    #[test]
    fn expression_without_a_value_is_refused_with_its_reason() {
        for (expression, reason) in [
            ("!Ref Missing", "no parameter Missing"),
            ("!Ref Given", "Given has no default"),
            ("!If [Missing, 1, 2]", "no condition Missing"),
            ("!If [Circle, 1, 2]", "circle"),
            ("!Sub x", "Sub is not evaluated"),
            ("many", "many is not a whole number"),
            ("-1", "-1 is not a whole number"),
        ] {
            let error = reserved(expression, &[]).unwrap_err().to_string();
            assert!(error.contains(reason), "{expression}: {error}");
        }
        assert!(matches!(
            reserved("1", &[("Unknown", "1")]),
            Err(Error::UnknownParameter(_))
        ));
    }
}
