//! Searches the text of a whole file for what a predicate needs, before anything is parsed.
//!
//! A file without it is done at the cost of inflation. Escapes such as `"\u0044eleteBucket"` are not ruled out: such a
//! file is parsed like any other.

mod constant;
mod member;

use memchr::memmem::Finder;

use self::constant::{Bound, Constant};
use self::member::Member;
use super::path::Step;
use super::value::{TextTest, ValueTest};
use super::{Path, Predicate, Test};

/// More passes over the text cost more than they save: with the three passes that they need, the CIS rules took 1.70
/// times the floor, without them 1.62.
const PASSES: usize = 2;

/// The beginning of base64 of gzip.
const PACKED: &[u8] = b"H4sI";

/// What a file must contain one of, or none of its records can meet the predicate.
pub(crate) struct Search {
    passes: Vec<Pass>,
    unicode_escape: Finder<'static>,
    /// Finds the start of base64 of gzip, inside of which a constant may be.
    packed: Finder<'static>,
    /// The bytes whose escapes rule nothing out.
    spelled: Vec<u8>,
}

/// One pass over the text.
enum Pass {
    Constant(Constant, Finder<'static>),
    Member(Member),
}

/// A value that a record must have: a constant anywhere, or a value that passes a test under a key. If both are known,
/// either is enough.
#[derive(Clone)]
struct Need {
    constant: Option<Constant>,
    member: Option<(String, TextTest)>,
}

impl Search {
    /// A search for what the predicate needs, if it needs anything.
    pub(crate) fn new(predicate: &Predicate) -> Option<Self> {
        let needs = needed(predicate)?;
        let mut spelled = Vec::new();
        let mut passes = Vec::new();
        let mut members: Vec<(String, Vec<TextTest>)> = Vec::new();
        let alone = needs.len() == 1;
        for need in needs {
            match need {
                Need { constant: Some(constant), member } if alone || member.is_none() => {
                    spelled.extend_from_slice(constant.text.as_bytes());
                    let finder = constant.finder();
                    passes.push(Pass::Constant(constant, finder));
                }
                Need { member: Some((key, test)), .. } => match members.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, tests)) => tests.push(test),
                    None => members.push((key, vec![test])),
                },
                Need { .. } => return None,
            }
        }
        for (key, tests) in members {
            spelled.extend_from_slice(key.as_bytes());
            passes.push(Pass::Member(Member::new(&key, TextTest::any(tests))?));
        }
        spelled.extend_from_slice(PACKED);
        spelled.sort_unstable();
        spelled.dedup();
        let [unicode_escape, packed] = [&b"\\u00"[..], PACKED].map(|text| Finder::new(text).into_owned());
        (passes.len() <= PASSES).then(|| Self { passes, unicode_escape, packed, spelled })
    }

    /// Whether it is proven that no record of `text` contains what the predicate needs.
    pub(crate) fn rules_out(&self, text: &[u8]) -> bool {
        let found = self.passes.iter().any(|pass| match pass {
            Pass::Constant(constant, finder) => constant.is_in(finder, text),
            Pass::Member(member) => member.may_be_in(text),
        });
        !found
            && self.packed.find(text).is_none()
            && !self.unicode_escape.find_iter(text).any(|at| self.may_spell(&text[at + 4..]))
    }

    /// Whether the two hexadecimal digits encode a character of a constant or key, its quote, or a part of an escape:
    /// in a record inside of a string, `\u005cu0044` is one more way to write `D`.
    fn may_spell(&self, digits: &[u8]) -> bool {
        let Some(digits) = digits.first_chunk::<2>().and_then(|digits| str::from_utf8(digits).ok()) else {
            return true;
        };
        u8::from_str_radix(digits, 16)
            .map_or(true, |byte| byte.is_ascii_hexdigit() || b"\"\\u".contains(&byte) || self.spelled.contains(&byte))
    }
}

/// The values of which a record needs one; `None` if they are not known.
fn needed(predicate: &Predicate) -> Option<Vec<Need>> {
    match predicate {
        Predicate::All(parts) => parts.iter().filter_map(needed).min_by_key(|needs| cost(needs)),
        Predicate::Any(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(needed).collect();
            parts.map(|parts| parts.concat()).filter(|needs| !needs.is_empty())
        }
        Predicate::Column(field, test) => {
            let bytes = |part: &str| -> Box<[u8]> { part.as_bytes().into() };
            let test = match test {
                Test::In(values) if !values.is_empty() => TextTest::one_of(values.iter().map(String::as_str)),
                Test::StartsWith(start) => TextTest::Prefix(bytes(start)),
                Test::EndsWith(end) => TextTest::Suffix(bytes(end)),
                Test::Contains(part) => TextTest::containing(part.as_bytes()),
                _ => return None,
            };
            // Values of other types count as their JSON text: what `may_pass` leaves open is parsed. The text of a JSON
            // column includes the quotes of a string, which a search for the string itself lacks.
            let key = field.path().rsplit('.').next().filter(|_| !field.is_json());
            Need::new(key, &test).map(|need| vec![need])
        }
        Predicate::Values(slots) => {
            let needs = slots.iter().filter(|slot| !slot.or_absent).filter_map(|slot| {
                let Path::Steps { steps, .. } = &slot.path else { return None };
                let key = steps.iter().rev().find_map(|step| match step {
                    Step::Key(key) => Some(Some(key.as_str())),
                    Step::Members | Step::Each => Some(None),
                    Step::Index(_) | Step::Elements => None,
                });
                Need::new(key.flatten(), text_test(slot.test.as_ref()?)?)
            });
            needs.min_by_key(|need| cost(std::slice::from_ref(need))).map(|need| vec![need])
        }
        Predicate::Condition(_, part) => needed(part),
        Predicate::Not(_) | Predicate::Always(_) | Predicate::Message(_) => None,
    }
}

impl Need {
    fn new(key: Option<&str>, test: &TextTest) -> Option<Self> {
        let constant = |text: &[u8], before, after| Constant::new(str::from_utf8(text).ok()?, before, after);
        let constant = match test {
            TextTest::In(texts) if texts.iter().len() == 1 => {
                texts.iter().next().and_then(|text| constant(text, Bound::Quote, Bound::Quote))
            }
            TextTest::Prefix(start) => constant(start, Bound::Quote, Bound::Open),
            TextTest::Suffix(end) => constant(end, Bound::Open, Bound::Quote),
            TextTest::Contains(part) => constant(part.needle(), Bound::Open, Bound::Open),
            _ => None,
        };
        let member = key.map(|key| (key.to_owned(), test.clone())).filter(|_| is_selective(test));
        (constant.is_some() || member.is_some()).then_some(Self { constant, member })
    }
}

/// Whether few strings pass a test, as far as is known.
fn is_selective(test: &TextTest) -> bool {
    match test {
        TextTest::Any(tests) => tests.iter().all(is_selective),
        TextTest::All(tests) => tests.iter().any(is_selective),
        TextTest::Not(_) => false,
        TextTest::Prefix(part) | TextTest::Suffix(part) => !part.is_empty(),
        TextTest::Contains(part) => !part.needle().is_empty(),
        _ => true,
    }
}

/// The test of a value that only strings pass, or strings and numbers: text without quotes is never ruled out.
fn text_test(test: &ValueTest) -> Option<&TextTest> {
    match test {
        ValueTest::Text(test) | ValueTest::Written(test) => Some(test),
        ValueTest::Any(tests) | ValueTest::All(tests) if tests.len() == 1 => text_test(&tests[0]),
        _ => None,
    }
}

/// Few needs are better than many, and long constants better than short ones.
fn cost(needs: &[Need]) -> (usize, usize) {
    let length = |need: &Need| need.constant.as_ref().map_or(0, |constant| constant.text.len());
    (needs.len(), usize::MAX - needs.iter().map(length).min().unwrap_or(0))
}

#[cfg(test)]
mod tests;
