//! Commands as Upstash bills them, from redis-server's own statistics.

/// Unbilled commands: connection setup, the query of the statistics, and the front's commands around a script.
const UNBILLED: [&str; 5] = ["info", "hello", "client", "acl", "auth"];

/// Returns the number of billed commands in a reply of INFO commandstats. A script and the commands inside it are both
/// included.
#[must_use]
pub fn billed(info: &str) -> u64 {
    info.lines().filter_map(calls).sum()
}

/// Returns the calls of a line such as `cmdstat_config|get:calls=2,usec=7,...`, if they are billed.
fn calls(line: &str) -> Option<u64> {
    let (name, figures) = line.strip_prefix("cmdstat_")?.split_once(':')?;
    let name = name
        .split_once('|')
        .map_or(name, |(container, _)| container);
    if UNBILLED.contains(&name) {
        return None;
    }
    figures
        .strip_prefix("calls=")?
        .split(',')
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::billed;

    #[test]
    fn only_billed_commands_are_counted() {
        let info = "# Commandstats\r\n\
            cmdstat_evalsha:calls=3,usec=90,usec_per_call=30.00\r\n\
            cmdstat_config|get:calls=2,usec=7,usec_per_call=3.50\r\n\
            cmdstat_client|setinfo:calls=8,usec=1,usec_per_call=0.10\r\n\
            cmdstat_info:calls=5,usec=1,usec_per_call=0.10\r\n";
        assert_eq!(billed(info), 5);
        assert_eq!(billed(""), 0);
    }
}
