//! Random changes to a valid token, through the gateway and the real binaries. The receiver's own tests cover ten
//! thousand of them; this tests the path to it.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{Target, Traces, assert_refused};
use crate::support::{TestCloud, seeds};

/// One change: its position, its kind, and its byte.
type Change = (usize, u8, u8);

/// Returns a token with changes that HTTP can carry: no control characters, no spaces at its ends.
fn mutated(token: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut token = token.to_vec();
    for &(at, kind, byte) in changes {
        let length = token.len();
        let at = at % length;
        let byte = match byte {
            0..=0x1f | 0x7f => b'-',
            byte => byte,
        };
        match kind % 6 {
            0 => token[at] = byte,
            1 => token.insert(at, byte),
            2 => drop(token.remove(at)),
            3 => token.truncate(at),
            4 => token[at] ^= 1,
            _ => token.swap(at, usize::from(byte) % length),
        }
        if token.is_empty() {
            token.push(byte);
        }
    }
    token.trim_ascii().to_vec()
}

#[tokio::test]
async fn mutated_token_runs_nothing() {
    let cloud = TestCloud::start().await;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"mutations of a delivery's token!");
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let changes = prop::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..4);
    for round in 0..seeds(300) {
        let target = if round % 2 == 0 {
            Target::send_email("job-forged")
        } else {
            Target::job_failed("job-forged")
        };
        let valid = target.token(&cloud).into_bytes();
        let changes = changes.new_tree(&mut runner).unwrap().current();
        let token = mutated(&valid, &changes);
        if token == valid {
            continue;
        }
        let refused = target.deliver(&cloud, &[&token]).await;
        let why = format!(
            "round {round}, {changes:?}: {}",
            String::from_utf8_lossy(&token)
        );
        assert_refused(&refused, &why);
    }
    Traces::assert_none(&cloud).await;
    assert!(!cloud.logs().contains("panicked"));
}
