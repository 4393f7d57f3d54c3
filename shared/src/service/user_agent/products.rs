//! The grammar of a user agent (RFC 9110, section 10.1.5): products with versions, and comments in brackets.

/// The products and comments of a user agent.
#[derive(Debug, Default)]
pub(super) struct Products<'a> {
    /// `Name` and the version after the slash, if there is one.
    named: Vec<(&'a str, Option<&'a str>)>,
    /// Products in comments: `Opera Mini/62.0`, `FBAN/FBIOS`.
    inner: Vec<(&'a str, &'a str)>,
    /// The texts in round or square brackets, each split at its semicolons.
    comments: Vec<Vec<&'a str>>,
}

impl<'a> Products<'a> {
    /// Parses a user agent. Any text is valid.
    pub(super) fn parse(agent: &'a str) -> Self {
        let mut parsed = Self::default();
        let mut rest = agent;
        while let Some(open) = rest.find(['(', '[']) {
            parsed.words(&rest[..open]);
            let (comment, after) = enclosed(&rest[open + 1..]);
            parsed.comment(comment);
            rest = after;
        }
        parsed.words(rest);
        parsed
    }

    /// Returns the version of a product; empty if it has none. None if the product is absent.
    pub(super) fn version(&self, name: &str) -> Option<&'a str> {
        let outer = self.named.iter().find(|(product, _)| *product == name);
        let inner = || self.inner.iter().find(|(product, _)| *product == name);
        match outer {
            Some((_, version)) => Some(version.unwrap_or_default()),
            None => inner().map(|(_, version)| *version),
        }
    }

    /// Returns the names of the products outside of comments, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.named.iter().map(|(name, _)| *name)
    }

    /// Returns the comments, each split into its parts.
    pub(super) fn comments(&self) -> impl Iterator<Item = &[&'a str]> {
        self.comments.iter().map(Vec::as_slice)
    }

    fn words(&mut self, text: &'a str) {
        let words = text.split([' ', ',', ';', '\t']);
        let named = words.filter(|word| !word.is_empty());
        self.named.extend(named.map(|word| {
            word.split_once('/')
                .map_or((word, None), |(name, version)| (name, Some(version)))
        }));
    }

    fn comment(&mut self, text: &'a str) {
        let parts: Vec<&str> = text.split(';').map(str::trim).collect();
        let products = parts.iter().filter_map(|part| part.split_once('/'));
        self.inner.extend(products);
        self.comments.push(parts);
    }
}

/// Returns the text before and after the closing bracket. Brackets nest.
fn enclosed(text: &str) -> (&str, &str) {
    let mut depth = 1_u32;
    for (at, character) in text.char_indices() {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (&text[..at], &text[at + 1..]);
        }
    }
    (text, "")
}

/// Returns the leading digits of a version, if there are any.
pub(super) fn major(version: &str) -> Option<&str> {
    let digits = version.find(|c: char| !c.is_ascii_digit());
    let major = &version[..digits.unwrap_or(version.len())];
    (1..=4).contains(&major.len()).then_some(major)
}
