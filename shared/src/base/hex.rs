//! Bytes as lower-case hexadecimal text: hashes in keys and names.

/// Returns two digits for each byte.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// Returns the bytes of such text; none if the text is invalid.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_byte_has_two_digits() {
        assert_eq!(super::hex(&[0x00, 0x0f, 0xa0, 0xff]), "000fa0ff");
        assert_eq!(super::unhex("000fa0ff"), Some(vec![0x00, 0x0f, 0xa0, 0xff]));
    }

    #[test]
    fn invalid_hex_is_refused() {
        for text in ["0", "0g", "é", "+f"] {
            assert_eq!(super::unhex(text), None, "{text}");
        }
    }
}
