//! The decoded text of a JSON string.

use std::borrow::Cow;
use std::char::{REPLACEMENT_CHARACTER, decode_utf16};
use std::fmt::Write;

/// Appends the text of the inside of a JSON string, whose escapes a [`super::Cursor`] has found to be well formed.
///
/// A surrogate without its partner, which UTF-8 cannot represent, becomes U+FFFD; the result says whether there was
/// one.
pub(crate) fn unescape(mut inside: &[u8], text: &mut Vec<u8>) -> bool {
    let mut replaced = false;
    while let Some(escape) = memchr::memchr(b'\\', inside) {
        text.extend_from_slice(&inside[..escape]);
        let code = inside[escape + 1];
        inside = &inside[escape + 2..];
        let plain = match code {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let mut units = vec![unit(inside)];
                inside = &inside[4..];
                while inside.starts_with(b"\\u") {
                    units.push(unit(&inside[2..]));
                    inside = &inside[6..];
                }
                for character in decode_utf16(units) {
                    let character = character.unwrap_or_else(|_| {
                        replaced = true;
                        REPLACEMENT_CHARACTER
                    });
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                continue;
            }
            itself => itself,
        };
        text.push(plain);
    }
    text.extend_from_slice(inside);
    replaced
}

/// The text of the inside of a JSON string, whether it has escapes or not.
pub(crate) fn decoded(inside: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', inside).is_none() {
        return Cow::Borrowed(inside);
    }
    let mut text = Vec::new();
    unescape(inside, &mut text);
    Cow::Owned(text)
}

/// A text as a JSON string.
pub(crate) fn quote(text: &str) -> String {
    let mut string = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => string.extend(['\\', character]),
            '\n' => string.push_str("\\n"),
            '\0'..='\x1f' => {
                let _ = write!(string, "\\u{:04x}", u32::from(character));
            }
            _ => string.push(character),
        }
    }
    string.push('"');
    string
}

/// Four hexadecimal digits.
fn unit(digits: &[u8]) -> u16 {
    digits[..4].iter().fold(0, |unit, &digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            _ => (digit | 0x20) - b'a' + 10,
        };
        unit << 4 | u16::from(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(inside: &str) -> (String, bool) {
        let mut text = Vec::new();
        let replaced = unescape(inside.as_bytes(), &mut text);
        (String::from_utf8(text).expect("UTF-8"), replaced)
    }

    #[test]
    fn escapes() {
        assert_eq!(text(r#"a\"\\\/\b\f\n\r\tz"#), ("a\"\\/\u{8}\u{c}\n\r\tz".into(), false));
        assert_eq!(text(r"\u003d\u00e9\ud83d\ude00."), ("=é😀.".into(), false));
    }

    #[test]
    fn quoted_text_is_what_it_was() {
        let all: String = ('\0'..'\u{180}').chain(['\u{2028}', '😀']).collect();
        let string = quote(&all);
        assert_eq!(text(&string[1..string.len() - 1]), (all.clone(), false));
        assert_eq!(serde_json::from_str::<String>(&string).expect("JSON"), all);
    }

    #[test]
    fn lone_surrogates_are_replaced_and_told() {
        assert_eq!(text(r"\ud83d"), ("\u{fffd}".into(), true));
        assert_eq!(text(r"\ude00\ud83dx\ud83d\u0041"), ("\u{fffd}\u{fffd}x\u{fffd}A".into(), true));
    }
}
