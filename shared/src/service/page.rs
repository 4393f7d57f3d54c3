//! Pages and cursors of lists that are sorted by time.
//!
//! A cursor names the last row of a page by time and key, and the next page starts after it. Rows that are added or
//! removed in between cause neither repeated nor missing rows, unlike an offset.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The largest number of rows on a page.
pub const MAX_LIMIT: u32 = 100;

/// A page of a list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last one.
    pub cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// Returns the page of a query with one row more than `limit`, see [`rows`].
    pub(super) fn cut(mut items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> Cursor) -> Self {
        let limit = limit.clamp(1, MAX_LIMIT) as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let cursor = items.last().filter(|_| more).map(cursor);
        Self { items, cursor }
    }
}

/// Returns the number of rows to query: one more than the page has shows whether there is a next page.
pub(super) fn rows(limit: u32) -> i64 {
    i64::from(limit.clamp(1, MAX_LIMIT)) + 1
}

/// The longest accepted cursor: an instant, and an address with a reason.
const MAX_CURSOR_LEN: usize = 512;

/// The last row of a page. As text it is opaque.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Cursor {
    micros: i64,
    key: String,
}

/// The text is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a valid cursor for this list")]
pub struct InvalidCursor;

impl PartialSchema for Cursor {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("cursor".to_owned())))
            .max_length(Some(MAX_CURSOR_LEN))
            .into()
    }
}

impl ToSchema for Cursor {}

impl Cursor {
    /// Returns the cursor of a row.
    pub(super) fn new(at: Timestamp, key: &str) -> Self {
        Self {
            micros: at.as_microsecond(),
            key: key.to_owned(),
        }
    }

    /// Returns the row's instant, in microseconds since 1970 (UTC).
    pub(super) fn micros(&self) -> i64 {
        self.micros
    }

    /// Returns the key that distinguishes the row from others of the same instant.
    pub(super) fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = format!("{}.{}", self.micros, self.key);
        f.write_str(&URL_SAFE_NO_PAD.encode(plain))
    }
}

/// The first instant of the year 1: no list contains an earlier one, and the database can represent it.
const FIRST: i64 = -62_135_596_800_000_000;

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_CURSOR_LEN {
            return Err(InvalidCursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let plain = String::from_utf8(bytes).map_err(|_| InvalidCursor)?;
        let (micros, key) = plain.split_once('.').ok_or(InvalidCursor)?;
        let micros: i64 = micros.parse().map_err(|_| InvalidCursor)?;
        // We never issued an instant that the database cannot represent, or a key that it cannot compare.
        if micros < FIRST || Timestamp::from_microsecond(micros).is_err() || key.contains('\0') {
            return Err(InvalidCursor);
        }
        Ok(Self {
            micros,
            key: key.to_owned(),
        })
    }
}

impl TryFrom<String> for Cursor {
    type Error = InvalidCursor;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::{Cursor, InvalidCursor, Page};

    #[test]
    fn page_has_a_cursor_only_if_more_items_follow() {
        let at = |n: &i64| Cursor::new(Timestamp::from_second(*n).unwrap(), "k");
        let last = Page::cut(vec![3, 2, 1], 3, at);
        assert_eq!((last.items.len(), last.cursor), (3, None));
        let first = Page::cut(vec![3, 2, 1], 2, at);
        assert_eq!((first.items, first.cursor), (vec![3, 2], Some(at(&2))));
    }

    #[test]
    fn invalid_cursor_is_refused() {
        let long = "A".repeat(513);
        for plain in [
            "",
            "1",
            ".",
            "x.k",
            "-62135596800000001.k",
            "9223372036854775807.k",
            "1.a\0b",
        ] {
            let cursor = URL_SAFE_NO_PAD.encode(plain);
            assert_eq!(cursor.parse::<Cursor>(), Err(InvalidCursor), "{plain:?}");
        }
        for text in ["%", "=", "_w", &long] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
        }
    }

    proptest! {
        #[test]
        fn cursor_round_trips_through_its_text(micros in -62_135_596_800_000_000_i64..4_000_000_000_000_000, key in "[a-z0-9.@+ ]{0,64}") {
            let cursor = Cursor::new(Timestamp::from_microsecond(micros).unwrap(), &key);
            let read: Cursor = cursor.to_string().parse().unwrap();
            prop_assert_eq!((read.micros(), read.key()), (micros, key.as_str()));
        }
    }
}
