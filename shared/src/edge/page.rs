//! The size of a list page.

use serde::Deserialize;

/// Items per page: 1 to 100, default 20.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "u32")]
#[schema(value_type = u32, minimum = 1, maximum = 100, default = 20)]
pub struct Limit(u32);

/// The number is not a valid limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limit must be 1 to {}", Limit::MAX)]
pub struct InvalidLimit;

impl Limit {
    /// The largest number of items per page.
    const MAX: u32 = 100;

    /// The number of items per page if the request names none.
    const DEFAULT: u32 = 20;

    /// Returns the number of items.
    #[must_use]
    pub fn items(self) -> usize {
        self.0 as usize
    }
}

impl From<Limit> for u32 {
    fn from(limit: Limit) -> Self {
        limit.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(Self::DEFAULT)
    }
}

impl TryFrom<u32> for Limit {
    type Error = InvalidLimit;

    fn try_from(items: u32) -> Result<Self, Self::Error> {
        if (1..=Self::MAX).contains(&items) {
            Ok(Self(items))
        } else {
            Err(InvalidLimit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidLimit, Limit};

    #[test]
    fn page_limit_outside_1_to_100_is_refused() {
        for items in [0, 101, u32::MAX] {
            assert_eq!(Limit::try_from(items), Err(InvalidLimit), "{items}");
        }
        for items in [1, 100] {
            assert_eq!(Limit::try_from(items).unwrap().items(), items as usize);
        }
    }
}
