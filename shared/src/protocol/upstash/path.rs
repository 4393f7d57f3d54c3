//! The protocol's path form: arguments as percent-encoded segments of a URL.

use super::error::Error;

/// Returns the path of `words`, such as `/SET/key`. Errors for words that would not arrive: URL parsers treat `.` and
/// `..` as path steps, however they are encoded, and servers treat an empty last segment as a trailing slash.
pub(super) fn path<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<String, Error> {
    let mut path = String::new();
    for word in words {
        if matches!(word, "" | "." | "..") {
            return Err(Error::Unsendable(
                "a path cannot carry an empty word, `.` or `..`",
            ));
        }
        path.push('/');
        path.extend(url::form_urlencoded::byte_serialize(word.as_bytes()).map(plus_as_space));
    }
    Ok(path)
}

/// Restores a plus: form encoding writes a space as `+`, but in a path a plus is a plus.
fn plus_as_space(piece: &str) -> &str {
    if piece == "+" { "%20" } else { piece }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn path_encodes_every_character_of_an_argument() {
        let path = path(["SET", "a b/c+d?é", "..."]).unwrap();
        assert_eq!(path, "/SET/a%20b%2Fc%2Bd%3F%C3%A9/...");
    }

    #[test]
    fn argument_that_would_change_the_path_is_refused() {
        for word in ["", ".", ".."] {
            assert!(path(["SET", word]).is_err(), "{word:?}");
        }
    }
}
