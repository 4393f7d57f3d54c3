//! The size limits of a job: those of QStash, API Gateway and Lambda.

use serde::Serialize;

use super::Error;
use crate::protocol::qstash::MAX_BODY;

/// The largest event of one invocation is 6 MB (Lambda), including headers and the request's context.
const MAX_EVENT: usize = 6 * 1024 * 1024 - 64 * 1024;

/// The bytes of JSON in one job of a bulk: small enough for any queue, and a killed job repeats little.
pub const PART_BYTES: usize = 500_000;

/// The size that a message adds to a payload: the job's id and its generation.
const ENVELOPE: usize = 512;

/// Returns the size of a body inside the event: a JSON string, in which some characters take two bytes.
fn delivered(body: &[u8]) -> usize {
    let escaped = |byte: &&u8| matches!(byte, b'"' | b'\\' | ..=0x1f);
    body.len() + body.iter().filter(escaped).count()
}

/// Errors if a payload is larger than a message can carry to its function.
pub fn must_fit(payload: &str) -> Result<(), Error> {
    let bytes = payload.len() + ENVELOPE;
    if bytes > MAX_BODY || delivered(payload.as_bytes()) + ENVELOPE > MAX_EVENT {
        return Err(Error::TooLarge { bytes });
    }
    Ok(())
}

/// Splits the items of a bulk into parts of at most `count` items and [`PART_BYTES`], in order. A larger item becomes a
/// part of its own.
pub fn parts<T: Serialize>(items: &[T], count: usize) -> Vec<&[T]> {
    let size = |item: &T| serde_json::to_vec(item).map_or(PART_BYTES, |json| json.len() + 1);
    let mut parts = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (place, item) in items.iter().enumerate() {
        let size = size(item);
        if place > begin && (place - begin >= count || bytes + size > PART_BYTES) {
            parts.push(&items[begin..place]);
            (begin, bytes) = (place, 0);
        }
        bytes += size;
    }
    if begin < items.len() {
        parts.push(&items[begin..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::{Error, MAX_EVENT, PART_BYTES, must_fit, parts};

    #[test]
    fn payload_too_large_for_a_lambda_event_is_refused() {
        let text = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes));
        assert!(must_fit(&text(4 << 20)).is_ok());
        let error = must_fit(&text(MAX_EVENT)).unwrap_err();
        assert!(
            matches!(error, Error::TooLarge { bytes } if bytes > MAX_EVENT),
            "{error}"
        );
        // Each quote takes two characters inside the event.
        let quotes = format!("[{}1]", "\"\",".repeat(1_300_000));
        assert!(quotes.len() < MAX_EVENT && must_fit(&quotes).is_err());
    }

    #[test]
    fn items_are_split_by_count_and_bytes_in_order() {
        let small: Vec<u32> = (0..250).collect();
        let sizes: Vec<usize> = parts(&small, 100).iter().map(|part| part.len()).collect();
        assert_eq!(sizes, [100, 100, 50]);
        let large: Vec<String> = (0..100).map(|n| format!("{n:016384}")).collect();
        let split = parts(&large, 100);
        assert!(split.len() > 1);
        for part in &split {
            assert!(serde_json::to_vec(part).unwrap().len() <= PART_BYTES + 2);
        }
        assert_eq!(split.concat(), large);
        assert_eq!(parts(&["x".repeat(PART_BYTES + 1)], 100).len(), 1);
        assert!(parts::<u32>(&[], 100).is_empty());
    }
}
