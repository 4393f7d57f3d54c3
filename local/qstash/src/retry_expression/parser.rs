//! Parses a text to a tree.

use super::Error;
use super::node::{Function, Node};

/// The maximum nesting: the parser recurses.
const MAX_DEPTH: usize = 64;

/// Recursive descent: sum, product, factor.
pub(super) struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Parses a whole text.
    pub(super) fn parse(text: &'a str) -> Result<Node, Error> {
        let mut parser = Self {
            text: text.as_bytes(),
            at: 0,
            depth: 0,
        };
        let root = parser.sum()?;
        parser.skip_space();
        if parser.at < parser.text.len() {
            return Err(Error::Unexpected(parser.at));
        }
        Ok(root)
    }

    fn skip_space(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, one_of: &[u8]) -> Option<u8> {
        self.skip_space();
        let next = *self.text.get(self.at)?;
        one_of.contains(&next).then(|| {
            self.at += 1;
            next
        })
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        self.take(&[byte])
            .map(drop)
            .ok_or(Error::Unexpected(self.at))
    }

    fn sum(&mut self) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::TooLarge);
        }
        let mut left = self.product()?;
        while let Some(operator) = self.take(b"+-") {
            left = Node::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Result<Node, Error> {
        let mut left = self.factor()?;
        while let Some(operator) = self.take(b"*/") {
            left = Node::Binary(operator, Box::new(left), Box::new(self.factor()?));
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Node, Error> {
        let mut negative = false;
        while let Some(sign) = self.take(b"+-") {
            negative ^= sign == b'-';
        }
        let node = if self.take(b"(").is_some() {
            let inner = self.sum()?;
            self.expect(b')')?;
            inner
        } else {
            self.atom()?
        };
        Ok(if negative {
            Node::Negate(Box::new(node))
        } else {
            node
        })
    }

    fn atom(&mut self) -> Result<Node, Error> {
        self.skip_space();
        let start = self.at;
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'.' || *b == b'_';
        while self.text.get(self.at).is_some_and(is_part) {
            self.at += 1;
        }
        let word = self
            .text
            .get(start..self.at)
            .and_then(|word| std::str::from_utf8(word).ok());
        let word = word
            .filter(|word| !word.is_empty())
            .ok_or(Error::Unexpected(start))?;
        if word.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return word
                .parse()
                .map(Node::Number)
                .map_err(|_| Error::Unexpected(start));
        }
        if word == "retried" {
            return Ok(Node::Retried);
        }
        let (function, arity) =
            Function::named(word).ok_or_else(|| Error::Unknown(word.to_owned()))?;
        let name = word.to_owned();
        let arguments = self.arguments()?;
        if arguments.len() == arity {
            Ok(Node::Call(function, arguments))
        } else {
            Err(Error::Arguments(name))
        }
    }

    fn arguments(&mut self) -> Result<Vec<Node>, Error> {
        self.expect(b'(')?;
        let mut arguments = vec![self.sum()?];
        while self.take(b",").is_some() {
            arguments.push(self.sum()?);
        }
        self.expect(b')')?;
        Ok(arguments)
    }
}
