//! Marks that change the direction of text (Unicode Standard Annex 9, section 2).

/// Returns whether a character changes the display direction of the text after it. Such a character can make a title or
/// a name read as another one. Text of all scripts is displayed correctly without them.
#[must_use]
pub fn is_bidi_control(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::is_bidi_control;

    #[test]
    fn exactly_the_bidi_control_characters_are_recognised() {
        let found: Vec<u32> = (0..=0x0010_ffff)
            .filter_map(char::from_u32)
            .filter(|c| is_bidi_control(*c))
            .map(u32::from)
            .collect();
        let marks = [0x61c, 0x200e, 0x200f];
        let wanted = marks
            .into_iter()
            .chain(0x202a..=0x202e)
            .chain(0x2066..=0x2069);
        assert_eq!(found, wanted.collect::<Vec<_>>());
    }
}
