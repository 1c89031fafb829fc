//! A constant that occurs anywhere in the text.

use memchr::memmem::Finder;

/// A string that a value must contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Constant {
    pub(super) text: String,
    before: Bound,
    after: Bound,
}

/// What may be next to the constant where it begins or ends a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// Anything.
    Open,
    /// The quote of the string, or its backslash where the record itself is inside of a string.
    Quote,
}

impl Constant {
    /// The constant as the text must contain it, if `\u00…` escapes are the only other way to write it.
    pub(super) fn new(text: &str, before: Bound, after: Bound) -> Option<Self> {
        let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'/');
        if text.len() < 3 || !text.bytes().all(plain) {
            return None;
        }
        // A column's text may also be that of a JSON value other than a string, without quotes.
        let like_json = |byte: u8| byte.is_ascii_digit() || b"-{[]}".contains(&byte);
        let ends = [text.as_bytes()[0], text.as_bytes()[text.len() - 1]];
        let is_bare = ends.into_iter().any(like_json) || ["true", "false"].iter().any(|word| word.contains(text));
        let (before, after) = if is_bare { (Bound::Open, Bound::Open) } else { (before, after) };
        Some(Self { text: text.to_owned(), before, after })
    }

    pub(super) fn finder(&self) -> Finder<'static> {
        Finder::new(self.text.as_bytes()).into_owned()
    }

    /// Whether the constant's own `finder` finds it in the text.
    pub(super) fn is_in(&self, finder: &Finder<'_>, text: &[u8]) -> bool {
        finder.find_iter(text).any(|at| {
            let before = at.checked_sub(1).map(|at| text[at]);
            let after = text.get(at + self.text.len());
            (self.before == Bound::Open || before == Some(b'"'))
                && (self.after == Bound::Open || matches!(after, Some(b'"' | b'\\')))
        })
    }
}
