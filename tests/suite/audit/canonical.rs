//! Canonical JSON (RFC 8785) in SQL, compared with vectors and with a second implementation.

use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};
use shared::protocol::postgres::{Json, Postgres, Type, column};

use crate::support::ledger::LedgerDatabase;
use crate::support::seeds;

async fn canonical(owner: &Postgres, value: &Value) -> String {
    let sql = "select signtusk.canonical_json($1) as canonical";
    let rows = owner
        .query(sql, &[(&Json(value), Type::JSONB)])
        .await
        .unwrap();
    column(&rows[0], "canonical").unwrap()
}

#[tokio::test]
async fn numbers_are_formatted_as_in_rfc_8785() {
    let database = LedgerDatabase::fresh().await;
    // From RFC 8785, appendix B, and the limits of each form.
    for (number, text) in [
        ("0", "0"),
        ("-0.0", "0"),
        ("5e-324", "5e-324"),
        ("-5e-324", "-5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("9007199254740992", "9007199254740992"),
        ("295147905179352830000", "295147905179352830000"),
        ("9.999999999999997e22", "9.999999999999997e+22"),
        ("1e23", "1e+23"),
        ("1.0000000000000001e23", "1.0000000000000001e+23"),
        ("999999999999999700000", "999999999999999700000"),
        ("999999999999999900000", "999999999999999900000"),
        ("1e21", "1e+21"),
        ("9.999999999999997e-7", "9.999999999999997e-7"),
        ("0.000001", "0.000001"),
        ("333333333.3333332", "333333333.3333332"),
        ("333333333.33333325", "333333333.33333325"),
        ("333333333.3333333", "333333333.3333333"),
        ("-0.0000033333333333333333", "-0.0000033333333333333333"),
        ("1424953923781206.2", "1424953923781206.2"),
        ("1000000000000000", "1000000000000000"),
        ("-4.50", "-4.5"),
        ("12345678901234567890", "12345678901234567000"),
    ] {
        let value: Value = serde_json::from_str(number).unwrap();
        assert_eq!(canonical(&database.owner, &value).await, text, "{number}");
    }
}

#[tokio::test]
async fn members_are_sorted_by_utf_16_and_strings_minimally_escaped() {
    let database = LedgerDatabase::fresh().await;
    let value = json!({
        "\u{20ac}": "Euro", "\r": "CR", "\u{fb33}": "Dalet", "1": "One", "\u{1f600}": "Smiley",
        "\u{80}": "Control", "\u{f6}": "o", "\u{10ffff}a": 1, "\u{10ffff}": 2, "\u{e000}": 3,
        "": "\"\\\u{8}\u{c}\n\r\t\u{1f}\u{7f}/<\u{2028}",
    });
    assert_eq!(canonical(&database.owner, &value).await, reference(&value));
}

/// Generates JSON values of every kind, with names that the two orders sort differently.
fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-zA-Z0-9 \\\\\"\u{1}-\u{20}]{0,8}",
        proptest::collection::vec(
            prop_oneof![
                Just('\u{d7ff}'),
                Just('\u{e000}'),
                Just('\u{ffff}'),
                Just('\u{10000}'),
                Just('\u{10ffff}'),
                Just('a'),
                Just('b'),
                Just('~'),
                any::<char>().prop_filter("Postgres holds no NUL", |c| *c != '\0'),
            ],
            0..4
        )
        .prop_map(|chars| chars.into_iter().collect::<String>()),
    ];
    let number = prop_oneof![
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_filter_map("JSON has no infinity", |n| Number::from_f64(n)
            .map(Value::from)),
        (-330..309_i32, 0..100_000_u32).prop_filter_map("a double", |(exponent, digits)| {
            let number: f64 = format!("{digits}e{exponent}").parse().ok()?;
            Number::from_f64(number).map(Value::from)
        }),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

#[test]
fn sql_and_a_second_implementation_agree_on_any_json() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(LedgerDatabase::fresh());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: u32::try_from(seeds(200)).unwrap(),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&values(), |value| {
            let written = runtime.block_on(canonical(&database.owner, &value));
            prop_assert_eq!(written, reference(&value));
            Ok(())
        })
        .unwrap();
}

/// Returns a value as canonical JSON (RFC 8785), with `serde_json`'s own escapes, which already follow the standard.
fn reference(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.encode_utf16().collect::<Vec<u16>>());
            let members = members
                .into_iter()
                .map(|(name, member)| format!("{}:{}", json!(name), reference(member)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(reference).collect();
            format!("[{}]", items.join(","))
        }
        Value::Number(number) => ecmascript(number.as_f64().unwrap()),
        other => other.to_string(),
    }
}

/// Returns a number as ECMAScript's `Number::toString` (section 6.1.6.1.20) writes it, from Rust's shortest digits.
fn ecmascript(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap();
    let digits = mantissa.replace('.', "");
    let point = exponent.parse::<i32>().unwrap() + 1;
    let count = i32::try_from(digits.len()).unwrap();
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap());
    let text = if count <= point && point <= 21 {
        format!("{digits}{}", zeros(point - count))
    } else if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap());
        format!("{whole}.{fraction}")
    } else if -6 < point && point <= 0 {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        format!("{first}{dot}{rest}e{:+}", point - 1)
    };
    if number < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}
