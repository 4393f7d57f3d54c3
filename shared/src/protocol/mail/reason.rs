//! A provider's words, fit for logs and records.

/// The words with every address taken out, because reasons are logged and addresses are not.
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
