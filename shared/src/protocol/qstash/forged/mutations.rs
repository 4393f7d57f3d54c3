//! Random changes to a valid token, and random bytes: all are rejected, and none panics.

use bytes::Bytes;
use proptest::prelude::*;

use super::{BODY, PATH, receiver, valid};

/// Returns a token with one change: its position, its kind, and the byte.
fn mutated(token: &[u8], (at, kind, byte): (usize, u8, u8)) -> Vec<u8> {
    let mut token = token.to_vec();
    let length = token.len();
    let at = at % length;
    match kind % 6 {
        0 => token[at] = byte,
        1 => token.insert(at, byte),
        2 => drop(token.remove(at)),
        3 => token.truncate(at),
        4 => token[at] ^= 1 << (byte % 8),
        _ => token.swap(at, usize::from(byte) % length),
    }
    if token.is_empty() { vec![byte] } else { token }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_token_is_refused(
        changes in prop::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..4)
    ) {
        let valid = valid().into_bytes();
        let token = changes.into_iter().fold(valid.clone(), |token, change| mutated(&token, change));
        let verdict = receiver().verify(PATH, Some(&token), Bytes::from_static(BODY));
        prop_assert_eq!(verdict.is_ok(), token == valid, "{}", String::from_utf8_lossy(&token));
    }

    #[test]
    fn random_token_does_not_panic_the_receiver(token in prop::collection::vec(any::<u8>(), 0..200), dots in any::<[u8; 2]>()) {
        let mut token = token;
        for dot in dots {
            token.insert(usize::from(dot) % (token.len() + 1), b'.');
        }
        prop_assert!(receiver().verify(PATH, Some(&token), Bytes::new()).is_err());
    }
}
