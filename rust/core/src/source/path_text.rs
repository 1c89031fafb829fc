//! Paths as text, for columns, checkpoints and messages, and back.
//!
//! File names are bytes, and a column is UTF-8. A byte that is not part of a character is written as U+FFFD and its two
//! hexadecimal digits, `\u{fffd}FF`. So that no two names become one string, the three bytes of a real U+FFFD are
//! written in this way, too. Every other name is unchanged.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

const MARK: char = '\u{fffd}';

/// The text of a path: different paths have different texts.
pub(crate) fn path_text(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    if let Ok(text) = str::from_utf8(bytes)
        && !text.contains(MARK)
    {
        return text.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    let escape = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            // Writing to a string does not fail.
            let _ = write!(text, "{MARK}{byte:02X}");
        }
    };
    for chunk in bytes.utf8_chunks() {
        for (number, part) in chunk.valid().split(MARK).enumerate() {
            if number > 0 {
                escape(&mut text, MARK.encode_utf8(&mut [0; 4]).as_bytes());
            }
            text.push_str(part);
        }
        escape(&mut text, chunk.invalid());
    }
    text
}

/// The path that [`path_text`] turned into this text; any other text is the path itself.
pub(crate) fn path_of(path: &Path) -> Cow<'_, Path> {
    let text = path.to_str().filter(|text| text.contains(MARK));
    text.and_then(unescaped).map_or(Cow::Borrowed(path), |bytes| PathBuf::from(OsString::from_vec(bytes)).into())
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split(MARK);
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &[u8]) -> String {
        path_text(Path::new(OsStr::from_bytes(bytes)))
    }

    #[test]
    fn only_what_is_no_character_is_escaped() {
        assert_eq!(text("a/\u{e9} b.json".as_bytes()), "a/\u{e9} b.json");
        assert_eq!(text(b"1\xff.json"), "1\u{fffd}FF.json");
        assert_eq!(text(b"1\xc3"), "1\u{fffd}C3");
        assert_eq!(text("1\u{fffd}FF".as_bytes()), "1\u{fffd}EF\u{fffd}BF\u{fffd}BDFF");
        let odd = Path::new("1\u{fffd}.json");
        assert_eq!(path_of(odd), odd);
    }

    proptest! {
        #[test]
        fn no_two_paths_have_one_text(
            bytes in prop::collection::vec(prop::sample::select(b"aF0/\xef\xbf\xbd\xff\xc3\xa9".to_vec()), 0..12),
        ) {
            let path = Path::new(OsStr::from_bytes(&bytes));
            let text = path_text(path);
            let back = path_of(Path::new(&text)).into_owned();
            prop_assert_eq!(back.as_os_str().as_bytes(), &bytes[..]);
        }
    }
}
