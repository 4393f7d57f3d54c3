//! A button colour, and the colour of readable text on it.

/// The product's own colour.
const PRODUCT: [u8; 3] = [0x4f, 0x46, 0xe5];

/// The text colours on dark and on light colours.
const WHITE: [u8; 3] = [0xff; 3];
const INK: [u8; 3] = [0x11, 0x18, 0x27];

/// A colour, as `#rrggbb`, with the colour of the text on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colour {
    background: String,
    text: String,
}

impl Colour {
    /// Parses `#rgb` or `#rrggbb` and nothing else, because the value is inserted into a style.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix('#')?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let value = |at: std::ops::Range<usize>| u8::from_str_radix(digits.get(at)?, 16).ok();
        let rgb = match digits.len() {
            3 => [value(0..1)? * 17, value(1..2)? * 17, value(2..3)? * 17],
            6 => [value(0..2)?, value(2..4)?, value(4..6)?],
            _ => return None,
        };
        Some(Self::of(rgb))
    }

    fn of(rgb: [u8; 3]) -> Self {
        let text = if contrast(rgb, WHITE) >= contrast(rgb, INK) {
            WHITE
        } else {
            INK
        };
        Self {
            background: written(rgb),
            text: written(text),
        }
    }

    /// Returns the colour.
    #[must_use]
    pub fn background(&self) -> &str {
        &self.background
    }

    /// Returns the colour of text on it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Default for Colour {
    /// Returns the product's own colour.
    fn default() -> Self {
        Self::of(PRODUCT)
    }
}

fn written([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Returns the contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Returns the brightness of a colour, 0 to 1 (WCAG 2.2, "relative luminance").
fn luminance(rgb: [u8; 3]) -> f64 {
    let [red, green, blue] = rgb.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Colour, contrast};

    #[test]
    fn text_colour_contrasts_with_the_background() {
        for (colour, text) in [
            ("#4f46e5", "#ffffff"),
            ("#000000", "#ffffff"),
            ("#ffee00", "#111827"),
            ("#FFF", "#111827"),
        ] {
            assert_eq!(Colour::parse(colour).unwrap().text(), text, "{colour}");
        }
    }

    proptest! {
        #[test]
        fn text_is_readable_on_every_colour(rgb in any::<[u8; 3]>()) {
            let light = contrast(rgb, super::WHITE);
            let dark = contrast(rgb, super::INK);
            prop_assert!(light.max(dark) >= 4.2, "{light} {dark}");
        }

        #[test]
        fn arbitrary_text_is_read_only_as_a_colour(text in any::<String>()) {
            if let Some(colour) = Colour::parse(&text) {
                prop_assert!(colour.background().len() == 7);
            }
        }
    }
}
