//! Event patterns as the common form of conditions.

use std::ops::Bound;
use std::sync::Arc;

use super::alternative::{Affix, Alternative, AnythingBut, End, Literal, Number, Range};
use super::state::{State, never};
use super::wildcard::Wildcard;
use super::{Combination, Pattern};
use crate::filter::value::Scalar;
use crate::filter::{Derived, Filter, Folded, Glob, Kind, NumberTest, Path, Predicate, Slot, TextTest, ValueTest};

/// The members of an event on a bus.
pub(super) const ENVELOPE: [&str; 9] =
    ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"];

impl Pattern {
    /// The pattern as a filter on records, and on any other document itself. With the state of a rule, it applies to
    /// what that rule sees.
    #[must_use]
    pub fn compile(&self, state: Option<State>) -> Filter {
        let record = self.of_record();
        let document = if state == Some(State::Disabled) { never() } else { self.of_document() };
        Filter {
            record: state.map_or(record.clone(), |state| state.sees(record)),
            document: Some(document),
            text: None,
        }
    }

    /// Met by JSON documents whose own members match the pattern.
    #[must_use]
    pub fn of_document(&self) -> Predicate {
        any(&self.combinations, |name| Place::At(steps(name)))
    }

    /// Met by `CloudTrail` records.
    ///
    /// A pattern on events on a bus is compared with the event that EventBridge makes of the record; any other pattern
    /// with the record itself.
    #[must_use]
    pub fn of_record(&self) -> Predicate {
        if self.is_of_envelope() { any(&self.combinations, in_envelope) } else { self.of_document() }
    }

    /// Whether the pattern is written for an event on a bus, with the record in `detail`. An object at `resources`
    /// belongs to a record.
    #[must_use]
    pub fn is_of_envelope(&self) -> bool {
        self.combinations.iter().flat_map(Combination::keys).all(|name| is_of_envelope(name))
    }
}

pub(super) fn is_of_envelope(name: &str) -> bool {
    match name.split_once('.') {
        Some(("resources", _)) => false,
        Some((first, _)) => ENVELOPE.contains(&first),
        None => ENVELOPE.contains(&name),
    }
}

/// Where a field of a pattern is found.
pub(super) enum Place {
    At(Path),
    /// It has the same value for every record.
    Fixed(&'static str),
    /// There is never a value.
    Nowhere,
}

/// A field of an event on a bus: a member of the event that contained the record, or a value derived from the record.
pub(super) fn in_envelope(name: &str) -> Place {
    if let Some(member) = Derived::of_event(name) {
        return Place::At(Path::Derived(member));
    }
    match name {
        "version" => Place::Fixed("0"),
        _ => match name.strip_prefix("detail.") {
            // Events on a bus have no context, which a trail may add.
            Some(name) if name == "eventContext" || name.starts_with("eventContext.") => Place::Nowhere,
            Some(name) => Place::At(steps(name)),
            None => Place::Nowhere,
        },
    }
}

fn steps(name: &str) -> Path {
    Path::keys_through_arrays(name.split('.'))
}

fn any(combinations: &[Combination], place: impl Fn(&str) -> Place) -> Predicate {
    let mut parts: Vec<_> = combinations.iter().map(|combination| all(combination, &place)).collect();
    if parts.len() == 1 { parts.swap_remove(0) } else { Predicate::Any(parts) }
}

/// The fields in the order of their names: whether one is absent is checked in the elements in which the earlier ones
/// were found.
fn all(combination: &Combination, place: impl Fn(&str) -> Place) -> Predicate {
    let mut slots = Vec::new();
    for (name, alternatives) in combination {
        let (test, or_absent) = compile(alternatives);
        let met = match place(name) {
            Place::At(path) => {
                slots.push(Slot { path, test, or_absent, label: label(name, alternatives) });
                continue;
            }
            Place::Fixed(string) => meets(alternatives, string),
            Place::Nowhere => or_absent,
        };
        if !met {
            return Predicate::Always(false);
        }
    }
    if slots.is_empty() { Predicate::Always(true) } else { Predicate::Values(slots) }
}

/// Whether a string meets one of the alternatives.
pub(super) fn meets(alternatives: &[Alternative], string: &str) -> bool {
    let (test, _) = compile(alternatives);
    test.is_some_and(|test| test.passes(&Scalar::Text(string.as_bytes().into())))
}

fn label(name: &str, alternatives: &Arc<[Alternative]>) -> String {
    let list: Vec<_> = alternatives.iter().map(ToString::to_string).collect();
    format!("{name}: [{}]", list.join(","))
}

/// The test on a value, if a value is accepted, and whether a missing value is accepted too.
fn compile(alternatives: &[Alternative]) -> (Option<ValueTest>, bool) {
    let mut strings = Vec::new();
    let mut tests = Vec::new();
    let mut or_absent = false;
    for alternative in alternatives {
        tests.push(match alternative {
            Alternative::Text(text) | Alternative::Exactly(text) => {
                strings.push(text.as_str());
                continue;
            }
            Alternative::Exists(false) => {
                or_absent = true;
                continue;
            }
            Alternative::Exists(true) => ValueTest::Kind(Kind::LEAVES),
            Alternative::Address(block) | Alternative::Cidr(block) => {
                ValueTest::Text(TextTest::Addresses(block.clone()))
            }
            Alternative::Number(number) => equal(number),
            Alternative::Literal(literal) => ValueTest::Kind(match literal {
                Literal::True => &[Kind::True],
                Literal::False => &[Kind::False],
                Literal::Null => &[Kind::Null],
            }),
            Alternative::Prefix(Affix::Exact(start)) => ValueTest::Text(TextTest::Prefix(bytes(start))),
            Alternative::Prefix(Affix::IgnoreCase(start)) => ValueTest::Text(TextTest::PrefixIgnoreCase(start.clone())),
            Alternative::Suffix(Affix::Exact(end)) => ValueTest::Text(TextTest::Suffix(bytes(end))),
            Alternative::Suffix(Affix::IgnoreCase(end)) => ValueTest::Text(TextTest::SuffixIgnoreCase(end.clone())),
            Alternative::EqualsIgnoreCase(text) => ValueTest::Text(TextTest::EqualIgnoreCase(text.clone())),
            Alternative::Wildcard(wildcard) => ValueTest::Text(glob(wildcard)),
            Alternative::Numeric(range) => within(range),
            Alternative::AnythingBut(excluded) => ValueTest::Not(Box::new(excluded_by(excluded))),
        });
    }
    if !strings.is_empty() {
        tests.push(ValueTest::Text(TextTest::one_of(strings)));
    }
    let test = if tests.len() > 1 { Some(ValueTest::Any(tests)) } else { tests.pop() };
    (test, or_absent)
}

fn excluded_by(excluded: &AnythingBut) -> ValueTest {
    let starts = |text: &String| TextTest::Prefix(bytes(text));
    let ends = |text: &String| TextTest::Suffix(bytes(text));
    ValueTest::Text(match excluded {
        AnythingBut::Numbers(numbers) => return ValueTest::Any(numbers.iter().map(equal).collect()),
        AnythingBut::Strings(strings) => TextTest::one_of(strings.iter().map(String::as_str)),
        AnythingBut::Prefix(texts) => TextTest::Any(texts.iter().map(starts).collect()),
        AnythingBut::Suffix(texts) => TextTest::Any(texts.iter().map(ends).collect()),
        AnythingBut::EqualsIgnoreCase(texts) => {
            TextTest::Any(texts.iter().map(|text: &Folded| TextTest::EqualIgnoreCase(text.clone())).collect())
        }
        AnythingBut::Wildcard(wildcards) => TextTest::Any(wildcards.iter().map(glob).collect()),
    })
}

fn bytes(text: &str) -> Box<[u8]> {
    text.as_bytes().into()
}

fn glob(wildcard: &Wildcard) -> TextTest {
    TextTest::Glob(Glob::new(wildcard.pieces().iter().map(String::as_str)))
}

/// A number in any spelling; one that a double would change only in its own spelling.
fn equal(number: &Number) -> ValueTest {
    match number.value() {
        Some(value) => between(Bound::Included(value), Bound::Included(value)),
        None => ValueTest::Number(NumberTest::Written(number.text().to_owned())),
    }
}

fn within(range: &Range) -> ValueTest {
    let bound = |end: &Option<End>| match end.as_ref().and_then(|end| Some((end.number.value()?, end.included))) {
        Some((value, true)) => Bound::Included(value),
        Some((value, false)) => Bound::Excluded(value),
        None => Bound::Unbounded,
    };
    between(bound(&range.bottom), bound(&range.top))
}

/// A number of an event that a double would change is in no range.
fn between(bottom: Bound<f64>, top: Bound<f64>) -> ValueTest {
    ValueTest::All(vec![ValueTest::Number(NumberTest::Between(bottom, top)), ValueTest::Number(NumberTest::Exact)])
}
