//! CSV (RFC 4180) whose cells a spreadsheet does not execute.

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

/// Adds a quoted field to `text`. Every field is quoted, so its content does not matter.
fn field(text: &mut String, value: &str) {
    text.push('"');
    text.push_str(&inert(value).replace('"', "\"\""));
    text.push('"');
}

/// Returns the value with an apostrophe in front if a spreadsheet would read it as a formula. Spreadsheets do not show
/// the apostrophe. The checked characters are those of OWASP's list and their full-width forms, which some spreadsheets
/// also accept.
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
