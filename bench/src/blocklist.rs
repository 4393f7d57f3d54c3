//! Looking up an address in block lists of different lengths.

use std::net::{IpAddr, Ipv4Addr};

use shared::protocol::upstash::{Command, Redis, Reply};
use shared::service::security::{BLOCKED_LENGTHS, BLOCKED_PREFIXES};

use crate::error::Error;
use crate::figure::Figure;
use crate::guard;
use crate::meter::cost;
use crate::page::Section;
use crate::stage::Stage;
use crate::turns::{Turns, timed};

/// The lengths of the lists.
const SIZES: [u32; 3] = [10, 1_000, 100_000];

/// Lookups in each.
const LOOKUPS: usize = 2_000;

/// Lookups with counted commands.
const COUNTED: u32 = 200;

/// Entries written in one request.
const AT_ONCE: u32 = 5_000;

/// Used prefix lengths: addresses, and networks of three sizes.
const LENGTHS: &str = "4/32,4/24,4/16,6/64";

/// The first address of the lists.
const FIRST: u32 = 0x0a00_0000;

/// Measures the figures.
pub(crate) async fn section(stage: &Stage) -> Result<Section, Error> {
    let redis = stage.redis()?;
    let lengths = Command::new("SET").arg(BLOCKED_LENGTHS.key(""));
    redis.run::<Reply>(lengths.arg(LENGTHS)).await?;
    let (mut figures, mut filled) = (Vec::new(), 0);
    for size in SIZES {
        fill(&redis, filled, size).await?;
        filled = size;
        figures.extend(look_up(stage, size).await?);
    }
    for key in [&BLOCKED_LENGTHS, &BLOCKED_PREFIXES] {
        let forget = Command::new("UNLINK").arg(key.key(""));
        redis.run::<Reply>(forget).await?;
    }
    Ok(Section {
        title: "The block list",
        how: "The guard's call for an address that is not on the list, beside lists of IPv4 addresses with three\n\
              lengths of IPv4 prefixes in use; 2,000 calls each. A check shows that the address listed last is\n\
              rejected.",
        figures,
    })
}

async fn look_up(stage: &Stage, size: u32) -> Result<[Figure; 3], Error> {
    let stranger = guard::sliding(stage, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)))?;
    let listed = guard::sliding(stage, IpAddr::V4(Ipv4Addr::from_bits(FIRST + size - 1)))?;
    if listed.passes().await? {
        return Err(Error::Unexpected(format!("entry {size} is not refused")));
    }
    let mut turns = Turns::new(LOOKUPS);
    while turns.go_on() {
        turns.note([timed(stranger.pass()).await?]);
    }
    let [took] = turns.spreads();
    let cost = cost(stage, COUNTED, async || stranger.pass().await).await?;
    let figure =
        |what: &str, value, unit| Figure::new(format!("{size} entries: {what}"), value, unit);
    Ok([
        figure("p50", took.p50(), "ms"),
        figure("requests", cost.requests, ""),
        figure("commands", cost.commands, ""),
    ])
}

/// Adds entries to the list, in the form that the block list's own script gives permanent entries.
async fn fill(redis: &Redis, from: u32, to: u32) -> Result<(), Error> {
    let mut next = from;
    while next < to {
        let end = to.min(next + AT_ONCE);
        let entries = (next..end).fold(
            Command::new("HSET").arg(BLOCKED_PREFIXES.key("")),
            |entries, number| entries.arg(field(number)).arg("0"),
        );
        redis.run::<Reply>(entries).await?;
        next = end;
    }
    Ok(())
}

/// Returns the field of one address.
fn field(number: u32) -> String {
    format!("4/32:{:08x}", FIRST + number)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use shared::base::network::digits;

    use super::{FIRST, field};

    #[test]
    fn entry_is_stored_where_the_guard_looks_up_its_address() {
        let address = Ipv4Addr::from_bits(FIRST + 513);
        assert_eq!(address, Ipv4Addr::new(10, 0, 2, 1));
        assert_eq!(field(513), format!("4/32:{}", digits(address.into())));
    }
}
