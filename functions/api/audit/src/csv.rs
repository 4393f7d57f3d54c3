//! CSV (RFC 4180) that a spreadsheet does not run.

use std::borrow::Cow;

/// Adds a record to `text`.
pub fn record<'a>(text: &mut String, fields: impl IntoIterator<Item = &'a str>) {
    for (place, value) in fields.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        field(text, value);
    }
    text.push_str("\r\n");
}

/// Every field is quoted: then it does not matter what is in it.
fn field(text: &mut String, value: &str) {
    text.push('"');
    text.push_str(&inert(value).replace('"', "\"\""));
    text.push('"');
}

/// What a spreadsheet would take for a formula gets an apostrophe before it, which spreadsheets do not show. The first
/// characters are those that OWASP names, and their full-width forms, which some take for the same.
fn inert(value: &str) -> Cow<'_, str> {
    let is_formula = value.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    if is_formula {
        Cow::Owned(format!("'{value}"))
    } else {
        Cow::Borrowed(value)
    }
}

#[cfg(test)]
mod tests {
    use super::record;

    fn line(fields: &[&str]) -> String {
        let mut text = String::new();
        record(&mut text, fields.iter().copied());
        text
    }

    #[test]
    fn csv_field_is_quoted() {
        assert_eq!(
            line(&["a,b", "say \"no\"", "two\r\nlines", ""]),
            "\"a,b\",\"say \"\"no\"\"\",\"two\r\nlines\",\"\"\r\n"
        );
    }

    #[test]
    fn csv_field_is_never_a_formula() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "\u{ff1d}1",
        ] {
            assert_eq!(line(&[formula]), format!("\"'{formula}\"\r\n"));
        }
        assert_eq!(line(&["a=1"]), "\"a=1\"\r\n");
    }
}
