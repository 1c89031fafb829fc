//! Looks for a constant that a predicate needs in the text of a whole file, before anything is parsed.

use memchr::memmem::Finder;

use super::value::{TextTest, ValueTest};
use super::{Path, Predicate, Test};

/// Text without which no record of a file can meet the predicate.
pub(crate) struct Search {
    constant: Finder<'static>,
    before: Bound,
    behind: Bound,
    unicode_escape: Finder<'static>,
}

/// What may stand beside the constant where it is the beginning or end of a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// Anything.
    Open,
    /// The quote of the string, or its backslash where the record itself stands in a string.
    Quote,
}

impl Search {
    /// The longest constant that the predicate cannot do without, if one can be searched for.
    pub(crate) fn new(predicate: &Predicate) -> Option<Self> {
        let (constant, before, behind) = constants(predicate).into_iter().max_by_key(|(constant, ..)| constant.len())?;
        Some(Self {
            constant: Finder::new(constant).into_owned(),
            before,
            behind,
            unicode_escape: Finder::new(b"\\u00").into_owned(),
        })
    }

    /// Whether it is proven that no string of `text` has the constant. A constant that only might be spelled with escapes, as
    /// `"\u0044eleteBucket"`, proves nothing.
    pub(crate) fn rules_out(&self, text: &[u8]) -> bool {
        let found = self.constant.find_iter(text).any(|at| {
            let before = at.checked_sub(1).map(|at| text[at]);
            let behind = text.get(at + self.constant.needle().len());
            (self.before == Bound::Open || before == Some(b'"'))
                && (self.behind == Bound::Open || matches!(behind, Some(b'"' | b'\\')))
        });
        !found && !self.unicode_escape.find_iter(text).any(|at| self.may_spell(&text[at + 4..]))
    }

    /// Whether the two hexadecimal digits stand for a character of the constant, for its quote, or for a part of an escape: in a
    /// record that stands in a string, `\u005cu0044` is one more way to write `D`.
    fn may_spell(&self, digits: &[u8]) -> bool {
        let Some(digits) = digits.first_chunk::<2>().and_then(|digits| str::from_utf8(digits).ok()) else { return true };
        u8::from_str_radix(digits, 16)
            .map_or(true, |byte| byte.is_ascii_hexdigit() || b"\"\\u".contains(&byte) || self.constant.needle().contains(&byte))
    }
}

/// The constants of which each is needed.
fn constants(predicate: &Predicate) -> Vec<(&str, Bound, Bound)> {
    match predicate {
        Predicate::All(parts) => parts.iter().flat_map(constants).collect(),
        Predicate::Column(_, test) => {
            let constant = match test {
                Test::In(values) if values.len() == 1 => (values[0].as_str(), Bound::Quote, Bound::Quote),
                Test::StartsWith(start) => (start.as_str(), Bound::Quote, Bound::Open),
                Test::EndsWith(end) => (end.as_str(), Bound::Open, Bound::Quote),
                Test::Contains(part) => (part.as_str(), Bound::Open, Bound::Open),
                _ => return Vec::new(),
            };
            searchable(constant).into_iter().collect()
        }
        Predicate::Values(slots) => {
            let needed = slots.iter().filter(|slot| !slot.or_absent && matches!(slot.path, Path::Steps { .. }));
            let texts = needed.filter_map(|slot| match &slot.test {
                Some(ValueTest::Text(test)) => Some(test),
                _ => None,
            });
            texts.filter_map(text_constant).filter_map(searchable).collect()
        }
        Predicate::Any(_) | Predicate::Not(_) | Predicate::Always(_) | Predicate::Message(_) => Vec::new(),
    }
}

/// The constant that a text must have to pass.
fn text_constant(test: &TextTest) -> Option<(&str, Bound, Bound)> {
    let (constant, before, behind) = match test {
        TextTest::In(texts) if texts.iter().len() == 1 => (texts.iter().next()?, Bound::Quote, Bound::Quote),
        TextTest::Prefix(start) => (&**start, Bound::Quote, Bound::Open),
        TextTest::Suffix(end) => (&**end, Bound::Open, Bound::Quote),
        TextTest::Contains(part) => (&**part, Bound::Open, Bound::Open),
        _ => return None,
    };
    Some((str::from_utf8(constant).ok()?, before, behind))
}

/// The constant as it must stand in the text, if there is only one way to write it but for `\u00…` escapes.
fn searchable((constant, before, behind): (&str, Bound, Bound)) -> Option<(&str, Bound, Bound)> {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'/');
    if constant.len() < 3 || !constant.bytes().all(plain) {
        return None;
    }
    // The text of a column may also be that of a JSON value that is no string, which has no quotes around it.
    let like_json = |byte: u8| byte.is_ascii_digit() || b"-{[]}".contains(&byte);
    let ends = [constant.as_bytes()[0], constant.as_bytes()[constant.len() - 1]];
    if ends.into_iter().any(like_json) || ["true", "false"].iter().any(|word| word.contains(constant)) {
        return Some((constant, Bound::Open, Bound::Open));
    }
    Some((constant, before, behind))
}

#[cfg(test)]
mod tests;
