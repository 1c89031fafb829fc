//! A constant that stands somewhere in the text.

use memchr::memmem::Finder;

/// A text that a value must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Constant {
    pub(super) text: String,
    before: Bound,
    after: Bound,
}

/// What may stand beside the constant where it is the beginning or end of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// Anything.
    Open,
    /// The quote of the string, or its backslash where the record itself stands in a string.
    Quote,
}

impl Constant {
    /// The constant as it must stand in the text, if there is only one way to write it but for `\u00…` escapes.
    pub(super) fn new(text: &str, before: Bound, after: Bound) -> Option<Self> {
        let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'/');
        if text.len() < 3 || !text.bytes().all(plain) {
            return None;
        }
        // The text of a column may also be that of a JSON value that is no string, which has no quotes around it.
        let like_json = |byte: u8| byte.is_ascii_digit() || b"-{[]}".contains(&byte);
        let ends = [text.as_bytes()[0], text.as_bytes()[text.len() - 1]];
        let is_bare = ends.into_iter().any(like_json) || ["true", "false"].iter().any(|word| word.contains(text));
        let (before, after) = if is_bare { (Bound::Open, Bound::Open) } else { (before, after) };
        Some(Self { text: text.to_owned(), before, after })
    }

    pub(super) fn finder(&self) -> Finder<'static> {
        Finder::new(self.text.as_bytes()).into_owned()
    }

    /// Whether `finder`, which is the constant's own, finds it in the text.
    pub(super) fn is_in(&self, finder: &Finder<'_>, text: &[u8]) -> bool {
        finder.find_iter(text).any(|at| {
            let before = at.checked_sub(1).map(|at| text[at]);
            let after = text.get(at + self.text.len());
            (self.before == Bound::Open || before == Some(b'"'))
                && (self.after == Bound::Open || matches!(after, Some(b'"' | b'\\')))
        })
    }
}
