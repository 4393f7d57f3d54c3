//! A provider's message, cleaned for logs and records.

/// Returns the message without its addresses, because reasons are logged and addresses are not.
pub(super) fn without_addresses(words: &str) -> String {
    let hide = |word| {
        if str::contains(word, '@') {
            "[address]"
        } else {
            word
        }
    };
    words
        .split_whitespace()
        .map(hide)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::without_addresses;

    #[test]
    fn addresses_are_removed_from_a_reason() {
        assert_eq!(
            without_addresses("own (ann@example.com):\nbob@example.com,\tand so on"),
            "own [address] [address] and so on"
        );
    }
}
