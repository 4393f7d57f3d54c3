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
    words.split(' ').map(hide).collect::<Vec<_>>().join(" ")
}
