//! Sentences with placeholders, as a translator writes them: `{sender} asks you to sign.`

/// A sentence of one language. A placeholder is a name in braces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phrase(pub(crate) &'static str);

/// A piece of a filled sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// The text, unescaped.
    pub(crate) text: &'a str,
    /// Whether the text is user input: it is set in bold, with its own text direction.
    pub(crate) is_value: bool,
}

impl Phrase {
    /// Returns the sentence in pieces. A placeholder without a value stays unchanged, and tests of the wording find it.
    pub(crate) fn parts<'a>(self, values: &[(&str, &'a str)]) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let mut rest = self.0;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            let Some((_, value)) = values.iter().find(|(place, _)| *place == name) else {
                break;
            };
            parts.push(own(before));
            parts.push(Part {
                text: value,
                is_value: true,
            });
            rest = after;
        }
        parts.push(own(rest));
        parts.retain(|part| !part.text.is_empty());
        parts
    }

    /// Returns the sentence as plain text.
    pub(crate) fn text(self, values: &[(&str, &str)]) -> String {
        self.parts(values).iter().map(|part| part.text).collect()
    }
}

fn own(text: &str) -> Part<'_> {
    Part {
        text,
        is_value: false,
    }
}

#[cfg(test)]
mod tests {
    use super::Phrase;

    #[test]
    fn placeholder_values_are_inserted_and_not_expanded_again() {
        let phrase = Phrase("{sender} sends {title}.");
        let values = [("sender", "{title}"), ("title", "Lease")];
        assert_eq!(phrase.text(&values), "{title} sends Lease.");
        let strong: Vec<bool> = phrase.parts(&values).iter().map(|it| it.is_value).collect();
        assert_eq!(strong, [true, false, true, false]);
    }
}
