//! The time to verify a delivery, compared with the official receiver on Node with the same tokens.

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use serde::Deserialize;
use shared::base::clock::Clock;
use shared::base::secret::Secret;
use shared::protocol::qstash::Receiver;

use crate::error::Error;
use crate::figure::Figure;
use crate::node;
use crate::page::Section;
use crate::spread::Spread;
use crate::stage::Stage;

const ROUNDS: usize = 5_000;

/// The sizes of the bodies, in bytes.
const SIZES: [usize; 2] = [1_000, 100_000];

/// The times of verifying a delivery of one size.
pub(crate) struct Verification {
    /// The size of the body in bytes.
    pub(crate) size: usize,
    /// Ours, in process.
    pub(crate) ours: Spread,
    /// The official receiver's p50, in milliseconds.
    pub(crate) node: f64,
}

/// Returns the figures.
pub(crate) fn section(verifications: &[Verification]) -> Section {
    Section {
        title: "Signatures",
        how: "A delivery verified in process, 5,000 times each; the token is QStash's.",
        figures: verifications.iter().flat_map(figures).collect(),
    }
}

fn figures(verification: &Verification) -> [Figure; 2] {
    let size = verification.size / 1000;
    let limit = if size == 1 { 0.02 } else { 0.1 };
    [
        Figure::new(format!("{size} KB, p50"), verification.ours.p50(), "ms").at_most(limit),
        Figure::new(format!("{size} KB, p99"), verification.ours.p99(), "ms"),
    ]
}

/// The official receiver's times.
#[derive(Deserialize)]
struct Delivery {
    size: usize,
    origin: String,
    signature: String,
    p50: f64,
}

/// Measures each size. The node script publishes the messages and receives them signed.
pub(crate) async fn measure(stage: &Stage) -> Result<Vec<Verification>, Error> {
    let mut arguments = vec![ROUNDS.to_string()];
    arguments.extend(SIZES.map(|size| size.to_string()));
    let output = node::last_line("receiver.js", &arguments, stage.cloud.environment()).await?;
    let deliveries: Vec<Delivery> = node::read(&output)?;
    deliveries
        .iter()
        .map(|delivery| verify(stage, delivery))
        .collect()
}

fn verify(stage: &Stage, delivery: &Delivery) -> Result<Verification, Error> {
    let unexpected = |error: &dyn std::error::Error| Error::Unexpected(error.to_string());
    let key = |name| Secret::new(stage.variable(name).to_owned());
    let receiver = Receiver::new(
        &key("QSTASH_CURRENT_SIGNING_KEY"),
        &key("QSTASH_NEXT_SIGNING_KEY"),
        &delivery.origin,
        Clock::system(),
    )
    .map_err(|error| unexpected(&error))?;
    let body = Bytes::from(vec![b'x'; delivery.size]);
    let once = || {
        let started = Instant::now();
        let verified = receiver.verify(
            "/delivery",
            Some(delivery.signature.as_bytes()),
            body.clone(),
        );
        let took = started.elapsed();
        black_box(verified)
            .map(|_| took)
            .map_err(|error| unexpected(&error))
    };
    Ok(Verification {
        size: delivery.size,
        ours: (0..ROUNDS).map(|_| once()).collect::<Result<_, _>>()?,
        node: delivery.p50,
    })
}
