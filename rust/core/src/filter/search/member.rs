//! A member of an object whose value must pass a test.

use memchr::memchr2;
use memchr::memmem::Finder;

use crate::filter::value::TextTest;

/// Searches for the values of one key, anywhere.
pub(super) struct Member {
    /// The key after its opening quote.
    finder: Finder<'static>,
    test: TextTest,
}

impl Member {
    /// A search, if `\u00…` escapes are the only other way to write the key.
    pub(super) fn new(key: &str, test: TextTest) -> Option<Self> {
        let plain =
            key.len() > 2 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        plain.then(|| Self { finder: Finder::new(format!("\"{key}").as_bytes()).into_owned(), test })
    }

    /// Whether a value of the key may pass the test. Unusual spellings may.
    pub(super) fn may_be_in(&self, text: &[u8]) -> bool {
        let length = self.finder.needle().len();
        self.finder.find_iter(text).any(|at| self.may_pass(&text[at + length..]).unwrap_or(true))
    }

    /// Whether the value after a key may pass the test; `None` if that is not known.
    fn may_pass(&self, after: &[u8]) -> Option<bool> {
        // If the record itself is inside of a string, each of its quotes has backslashes before it.
        let escapes = backslashes(after);
        let Some(rest) = after[escapes..].strip_prefix(b"\"") else {
            // A longer key, or the end of the window.
            return (escapes == 0 && !after.is_empty()).then_some(false);
        };
        let Some(rest) = without_space(rest).strip_prefix(b":") else {
            // A string that is not a key.
            return matches!(without_space(rest).first()?, b',' | b'}' | b']').then_some(false);
        };
        let value = without_space(rest);
        if value.starts_with(b"null") {
            return Some(false);
        }
        let inside = value.get(escapes..).filter(|_| backslashes(value) == escapes)?.strip_prefix(b"\"")?;
        let end = memchr2(b'"', b'\\', inside)?;
        let closes = backslashes(&inside[end..]) == escapes && inside.get(end + escapes) == Some(&b'"');
        closes.then(|| self.test.passes(&inside[..end]))
    }
}

fn backslashes(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| byte == b'\\').count()
}

fn without_space(text: &[u8]) -> &[u8] {
    let space = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    &text[space..]
}
