//! Durations in QStash's format: whole seconds followed by `s`.

use std::time::Duration;

/// Returns `duration` in QStash's format, rounded up, so that neither a delay nor a time limit is too short.
pub(super) fn seconds(duration: Duration) -> String {
    format!("{}s", whole(duration))
}

fn whole(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_add(u64::from(duration.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::seconds;

    #[test]
    fn fraction_of_a_second_is_rounded_up() {
        assert_eq!(seconds(Duration::from_secs(90)), "90s");
        assert_eq!(seconds(Duration::from_millis(1)), "1s");
        assert_eq!(seconds(Duration::MAX), format!("{}s", u64::MAX));
    }
}
