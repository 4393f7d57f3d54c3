//! Integers in JSON: `18` and `18.0` are the same number, and JSON Schema calls both an integer.

use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Unexpected};
use serde_json::Number;

/// Reads an optional integer: absent and `null` are none.
pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    Option::<Number>::deserialize(deserializer)?
        .map(|number| read(&number, "an integer from 0 to 4294967295"))
        .transpose()
}

/// Reads an integer that may be negative.
pub fn signed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    read(&Number::deserialize(deserializer)?, "an integer")
}

fn read<T: FromStr, E: Error>(number: &Number, wanted: &str) -> Result<T, E> {
    let whole = if number.is_f64() {
        let float = number.as_f64().filter(|float| float.fract() == 0.0);
        // Adding zero turns minus zero into zero.
        float.map(|float| format!("{:.0}", float + 0.0))
    } else {
        Some(number.to_string())
    };
    whole
        .and_then(|whole| whole.parse().ok())
        .ok_or_else(|| E::invalid_value(Unexpected::Other("number"), &wanted))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn read(value: &Value) -> Result<Option<u32>, serde_json::Error> {
        super::optional(value)
    }

    #[test]
    fn whole_number_is_read_in_every_json_notation() {
        assert_eq!(read(&json!(null)).unwrap(), None);
        for value in [
            json!(18),
            json!(18.0),
            serde_json::from_str("1.8e1").unwrap(),
        ] {
            assert_eq!(read(&value).unwrap(), Some(18), "{value}");
        }
        assert_eq!(read(&json!(u32::MAX)).unwrap(), Some(u32::MAX));
        assert_eq!(read(&json!(-0.0)).unwrap(), Some(0));
    }

    #[test]
    fn number_that_is_not_whole_or_in_range_is_refused() {
        for value in [
            json!(18.5),
            json!(-1),
            json!(-1.0),
            json!(4_294_967_296_u64),
            json!(1e300),
            json!("18"),
            json!(true),
        ] {
            assert!(read(&value).is_err(), "{value}");
        }
    }
}
