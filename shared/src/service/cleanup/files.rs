//! Temporary files: rows that name an object.

use super::removal::Removal;
use super::{Cleanup, Error};
use crate::protocol::postgres::{Parameter, Type, column};

/// The number of files that are deleted at a time.
const FILES: i64 = 100;

/// A page in the order of age, which an index has.
const PAGE: &str = "SELECT id::text AS id, (extract(epoch FROM created_at) * 1000000)::bigint AS micros, object_key \
    FROM public.temp_files \
    WHERE created_at < now() - interval '3 days' \
      AND (created_at, id::text) > (timestamptz 'epoch' + $1 * interval '1 microsecond', $2) \
    ORDER BY created_at, id::text LIMIT $3";

/// Deletes rows of a page: from its first position to its last, in the order of the same index, so that no other rows
/// are read.
const REMOVE: &str = "DELETE FROM public.temp_files \
    WHERE (created_at, id::text) >= (timestamptz 'epoch' + $1 * interval '1 microsecond', $2) \
      AND (created_at, id::text) <= (timestamptz 'epoch' + $3 * interval '1 microsecond', $4) \
      AND created_at < now() - interval '3 days' AND id::text = ANY ($5)";

/// The position of a file in the order of age. The default precedes all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    micros: i64,
    id: String,
}

/// An expired temporary file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TempFile {
    /// Its position.
    pub place: Place,
    /// The object, if there is one.
    pub object_key: Option<String>,
}

impl Cleanup {
    /// Returns files older than three days, after a position, the oldest first.
    pub async fn temp_files(&self, after: &Place) -> Result<Vec<TempFile>, Error> {
        let parameters: [Parameter<'_>; 3] = [
            (&after.micros, Type::INT8),
            (&after.id, Type::TEXT),
            (&FILES, Type::INT8),
        ];
        let rows = self.0.query_repeatable(PAGE, &parameters).await?;
        let files = rows.iter().map(|row| {
            Ok(TempFile {
                place: Place {
                    micros: column(row, "micros")?,
                    id: column(row, "id")?,
                },
                object_key: column(row, "object_key")?,
            })
        });
        files.collect()
    }

    /// Returns how many files a run would delete now.
    pub async fn count_temp_files(&self) -> Result<u64, Error> {
        let sql = "SELECT count(*) AS rows FROM public.temp_files WHERE created_at < now() - interval '3 days'";
        self.number(sql, &[]).await
    }
}

impl Removal<'_> {
    /// Deletes the rows of files whose objects are deleted, in the order of their page.
    pub async fn temp_files(&self, places: &[Place]) -> Result<u64, Error> {
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            return Ok(0);
        };
        let ids: Vec<&str> = places.iter().map(|place| place.id.as_str()).collect();
        let parameters: [Parameter<'_>; 5] = [
            (&first.micros, Type::INT8),
            (&first.id, Type::TEXT),
            (&last.micros, Type::INT8),
            (&last.id, Type::TEXT),
            (&ids, Type::TEXT_ARRAY),
        ];
        Ok(self.transaction().execute(REMOVE, &parameters).await?)
    }
}
