//! Looks for the constants that a predicate needs in the text of a whole file, before anything is parsed.

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem::Finder;

use super::value::{TextTest, ValueTest};
use super::{Path, Predicate, Test};

/// More constants are not searched for: their search costs more than it saves.
const MOST: usize = 64;

/// Texts of which a file must have one, or no record of it can meet the predicate.
pub(crate) struct Search {
    /// Constants that are looked for one by one.
    single: Vec<(Constant, Finder<'static>)>,
    /// Constants that are the beginning of a string, all looked for at once: with the quote before them, so that no two overlap.
    strings: Option<(Vec<Constant>, AhoCorasick)>,
    unicode_escape: Finder<'static>,
    /// The bytes that an escape must not stand for.
    spelled: Vec<u8>,
}

/// A text that a value must have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Constant {
    text: String,
    before: Bound,
    behind: Bound,
}

/// What may stand beside the constant where it is the beginning or end of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    /// Anything.
    Open,
    /// The quote of the string, or its backslash where the record itself stands in a string.
    Quote,
}

impl Search {
    /// The constants that the predicate cannot do without, if they can be searched for.
    pub(crate) fn new(predicate: &Predicate) -> Option<Self> {
        let mut constants = needed(predicate)?;
        constants.sort_unstable();
        constants.dedup();
        if constants.is_empty() || constants.len() > MOST {
            return None;
        }
        let mut spelled: Vec<u8> = constants.iter().flat_map(|constant| constant.text.bytes()).collect();
        spelled.sort_unstable();
        spelled.dedup();
        let of_strings = constants.iter().filter(|constant| constant.before == Bound::Quote).count();
        let (strings, single): (Vec<_>, Vec<_>) =
            constants.into_iter().partition(|constant| of_strings > 2 && constant.before == Bound::Quote);
        let single = single.into_iter().map(|constant| {
            let finder = Finder::new(constant.text.as_bytes()).into_owned();
            (constant, finder)
        });
        Some(Self {
            single: single.collect(),
            strings: if strings.is_empty() { None } else { Some(together(strings)?) },
            unicode_escape: Finder::new(b"\\u00").into_owned(),
            spelled,
        })
    }

    /// Whether it is proven that no string of `text` has any of the constants. A constant that only might be spelled with escapes, as
    /// `"\u0044eleteBucket"`, proves nothing.
    pub(crate) fn rules_out(&self, text: &[u8]) -> bool {
        let single = |(constant, finder): &(Constant, Finder<'_>)| {
            finder.find_iter(text).any(|at| constant.begins(text, at) && constant.ends(text, at + constant.text.len()))
        };
        let one_of_strings = || {
            self.strings.as_ref().is_some_and(|(constants, finder)| {
                finder.find_iter(text).any(|found| constants[found.pattern().as_usize()].ends(text, found.end()))
            })
        };
        let found = self.single.iter().any(single) || one_of_strings();
        !found && !self.unicode_escape.find_iter(text).any(|at| self.may_spell(&text[at + 4..]))
    }

    /// Whether the two hexadecimal digits stand for a character of a constant, for its quote, or for a part of an escape: in a
    /// record that stands in a string, `\u005cu0044` is one more way to write `D`.
    fn may_spell(&self, digits: &[u8]) -> bool {
        let Some(digits) = digits.first_chunk::<2>().and_then(|digits| str::from_utf8(digits).ok()) else { return true };
        u8::from_str_radix(digits, 16)
            .map_or(true, |byte| byte.is_ascii_hexdigit() || b"\"\\u".contains(&byte) || self.spelled.contains(&byte))
    }
}

impl Constant {
    fn begins(&self, text: &[u8], at: usize) -> bool {
        self.before == Bound::Open || at.checked_sub(1).map(|at| text[at]) == Some(b'"')
    }

    fn ends(&self, text: &[u8], at: usize) -> bool {
        self.behind == Bound::Open || matches!(text.get(at), Some(b'"' | b'\\'))
    }
}

/// One automaton for the beginnings of strings. One that another continues, and that may end anywhere, stands for both; where both
/// must end with the string, the longer one is tried first.
fn together(mut constants: Vec<Constant>) -> Option<(Vec<Constant>, AhoCorasick)> {
    let open: Vec<_> = constants.iter().filter(|constant| constant.behind == Bound::Open).map(|open| open.text.clone()).collect();
    constants.retain(|constant| {
        !open
            .iter()
            .any(|open| constant.text.starts_with(open.as_str()) && (constant.text != *open || constant.behind == Bound::Quote))
    });
    let quoted = constants.iter().map(|constant| format!("\"{}", constant.text));
    let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(quoted).ok()?;
    Some((constants, finder))
}

/// Constants of which one is needed; `None` when they cannot be told.
fn needed(predicate: &Predicate) -> Option<Vec<Constant>> {
    match predicate {
        Predicate::All(parts) => parts.iter().filter_map(needed).min_by_key(|constants| cost(constants)),
        Predicate::Any(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.append(&mut needed(part)?);
            }
            Some(all).filter(|all| !all.is_empty())
        }
        Predicate::Column(_, test) => match test {
            Test::In(values) => one_of(values.iter().map(String::as_str)),
            Test::StartsWith(start) => searchable(start, Bound::Quote, Bound::Open).map(|constant| vec![constant]),
            Test::EndsWith(end) => searchable(end, Bound::Open, Bound::Quote).map(|constant| vec![constant]),
            Test::Contains(part) => searchable(part, Bound::Open, Bound::Open).map(|constant| vec![constant]),
            _ => None,
        },
        Predicate::Values(slots) => {
            let needed = slots.iter().filter(|slot| !slot.or_absent && matches!(slot.path, Path::Steps { .. }));
            needed.filter_map(|slot| value_needs(slot.test.as_ref()?)).min_by_key(|constants| cost(constants))
        }
        Predicate::Not(_) | Predicate::Always(_) | Predicate::Message(_) => None,
    }
}

/// Few are better than many, and long ones than short ones.
fn cost(constants: &[Constant]) -> (usize, usize) {
    let shortest = constants.iter().map(|constant| constant.text.len()).min().unwrap_or(0);
    (constants.len(), usize::MAX - shortest)
}

fn value_needs(test: &ValueTest) -> Option<Vec<Constant>> {
    match test {
        ValueTest::Text(test) => text_needs(test),
        ValueTest::Any(tests) => {
            let needs: Option<Vec<_>> = tests.iter().map(value_needs).collect();
            needs.map(|needs| needs.concat()).filter(|all| !all.is_empty())
        }
        ValueTest::All(tests) => tests.iter().filter_map(value_needs).min_by_key(|constants| cost(constants)),
        ValueTest::Kind(_) | ValueTest::Number(_) | ValueTest::Not(_) => None,
    }
}

fn text_needs(test: &TextTest) -> Option<Vec<Constant>> {
    let one = |text: &[u8], before, behind| Some(vec![searchable(str::from_utf8(text).ok()?, before, behind)?]);
    match test {
        TextTest::In(texts) => {
            let texts: Option<Vec<_>> = texts.iter().map(|text| str::from_utf8(text).ok()).collect();
            one_of(texts?.into_iter())
        }
        TextTest::Prefix(start) => one(start, Bound::Quote, Bound::Open),
        TextTest::Suffix(end) => one(end, Bound::Open, Bound::Quote),
        TextTest::Contains(part) => one(part, Bound::Open, Bound::Open),
        TextTest::Any(tests) => {
            let needs: Option<Vec<_>> = tests.iter().map(text_needs).collect();
            needs.map(|needs| needs.concat()).filter(|all| !all.is_empty())
        }
        TextTest::All(tests) => tests.iter().filter_map(text_needs).min_by_key(|constants| cost(constants)),
        _ => None,
    }
}

fn one_of<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Vec<Constant>> {
    let constants: Option<Vec<_>> = texts.map(|text| searchable(text, Bound::Quote, Bound::Quote)).collect();
    constants.filter(|constants| !constants.is_empty())
}

/// The constant as it must stand in the text, if there is only one way to write it but for `\u00…` escapes.
fn searchable(text: &str, before: Bound, behind: Bound) -> Option<Constant> {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'/');
    if text.len() < 3 || !text.bytes().all(plain) {
        return None;
    }
    // The text of a column may also be that of a JSON value that is no string, which has no quotes around it.
    let like_json = |byte: u8| byte.is_ascii_digit() || b"-{[]}".contains(&byte);
    let ends = [text.as_bytes()[0], text.as_bytes()[text.len() - 1]];
    let is_bare = ends.into_iter().any(like_json) || ["true", "false"].iter().any(|word| word.contains(text));
    let (before, behind) = if is_bare { (Bound::Open, Bound::Open) } else { (before, behind) };
    Some(Constant { text: text.to_owned(), before, behind })
}

#[cfg(test)]
mod tests;
