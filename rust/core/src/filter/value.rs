//! Tests on one JSON value.

use std::borrow::Cow;
use std::ops::Bound;

use memchr::memmem::Finder;
use regex::bytes::Regex;

use super::address::{Address, Block};
use super::folded::Folded;
use super::metric::Fields;
use super::number::exact;

/// A JSON value as a test sees it.
#[derive(Debug, Clone)]
pub(crate) enum Scalar<'a> {
    /// A string, without its quotes and escapes.
    Text(Cow<'a, [u8]>),
    /// A number as it is written.
    Number(&'a [u8]),
    True,
    False,
    Null,
    Object,
    Array,
}

/// A test on a value.
#[derive(Debug, Clone)]
pub enum ValueTest {
    /// It is of one of these kinds.
    Kind(&'static [Kind]),
    /// It is a string that passes.
    Text(TextTest),
    /// It is a string that passes, or a number that passes as it is written.
    Written(TextTest),
    /// It is a number that passes.
    Number(NumberTest),
    /// It passes one of these.
    Any(Vec<ValueTest>),
    /// It passes all of these.
    All(Vec<ValueTest>),
    /// It does not pass.
    Not(Box<ValueTest>),
}

/// A kind of JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `"…"`
    Text,
    /// `1`
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
    /// `{…}`
    Object,
    /// `[…]`
    Array,
}

impl Kind {
    /// All but objects and arrays.
    pub const LEAVES: &'static [Self] = &[Self::Text, Self::Number, Self::True, Self::False, Self::Null];
}

/// A test on a string. It is case-sensitive unless its name says otherwise.
#[derive(Debug, Clone)]
pub enum TextTest {
    /// It is one of these.
    In(Texts),
    /// It starts with this.
    Prefix(Box<[u8]>),
    /// It ends with this.
    Suffix(Box<[u8]>),
    /// It contains this.
    Contains(Box<Finder<'static>>),
    /// It equals this, in any case.
    EqualIgnoreCase(Folded),
    /// It starts with this, in any case.
    PrefixIgnoreCase(Folded),
    /// It ends with this, in any case.
    SuffixIgnoreCase(Folded),
    /// The pieces occur in it in order, from its start to its end, with anything between them.
    Glob(Glob),
    /// The expression is found in it.
    Regex(Regex),
    /// It is an IP address in this block.
    Addresses(Block),
    /// Its fields, separated by blanks, match this pattern.
    Fields(Fields),
    /// It passes one of these.
    Any(Vec<TextTest>),
    /// It passes all of these.
    All(Vec<TextTest>),
    /// It does not pass.
    Not(Box<TextTest>),
}

/// A set of strings.
#[derive(Debug, Clone)]
pub struct Texts(Vec<Box<[u8]>>);

/// Text with wildcards.
#[derive(Debug, Clone)]
pub struct Glob {
    start: Box<[u8]>,
    middle: Vec<Finder<'static>>,
    /// `None` if there are no wildcards.
    end: Option<Box<[u8]>>,
}

/// A test on a number.
#[derive(Debug, Clone)]
pub enum NumberTest {
    /// As a double, it is between these.
    Between(Bound<f64>, Bound<f64>),
    /// It is spelled exactly like this.
    Written(String),
    /// A double holds all of its digits.
    Exact,
}

impl Scalar<'_> {
    fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Number(_) => Kind::Number,
            Self::True => Kind::True,
            Self::False => Kind::False,
            Self::Null => Kind::Null,
            Self::Object => Kind::Object,
            Self::Array => Kind::Array,
        }
    }
}

impl ValueTest {
    pub(crate) fn passes(&self, value: &Scalar<'_>) -> bool {
        match (self, value) {
            (Self::Kind(kinds), value) => kinds.contains(&value.kind()),
            (Self::Text(test) | Self::Written(test), Scalar::Text(string)) => test.passes(string),
            (Self::Written(test), Scalar::Number(written)) => test.passes(written),
            (Self::Number(test), Scalar::Number(written)) => test.passes(written),
            (Self::Any(tests), value) => tests.iter().any(|test| test.passes(value)),
            (Self::All(tests), value) => tests.iter().all(|test| test.passes(value)),
            (Self::Not(test), value) => !test.passes(value),
            (Self::Text(_) | Self::Written(_) | Self::Number(_), _) => false,
        }
    }
}

impl TextTest {
    /// It contains this.
    #[must_use]
    pub fn containing(part: &[u8]) -> Self {
        Self::Contains(Box::new(Finder::new(part).into_owned()))
    }

    /// It is one of these strings.
    pub fn one_of(texts: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        Self::In(Texts::new(texts))
    }

    /// It passes one of these; sets of strings are merged.
    pub(super) fn any(tests: Vec<Self>) -> Self {
        let (sets, mut others): (Vec<_>, Vec<_>) = tests.into_iter().partition(|test| matches!(test, Self::In(_)));
        let known = sets.iter().filter_map(|set| if let Self::In(known) = set { Some(known.iter()) } else { None });
        let known: Vec<_> = known.flatten().collect();
        if !known.is_empty() {
            others.push(Self::one_of(known));
        }
        Self::Any(others)
    }

    pub(crate) fn passes(&self, text: &[u8]) -> bool {
        match self {
            Self::In(texts) => texts.contains(text),
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::Contains(part) => part.find(text).is_some(),
            Self::EqualIgnoreCase(word) => word.equals(text),
            Self::PrefixIgnoreCase(prefix) => prefix.starts(text),
            Self::SuffixIgnoreCase(suffix) => suffix.ends(text),
            Self::Glob(glob) => glob.matches(text),
            Self::Regex(regex) => regex.is_match(text),
            Self::Addresses(block) => Address::parse(text).is_some_and(|address| block.contains(&address)),
            Self::Fields(fields) => fields.matches(text),
            Self::Any(parts) => parts.iter().any(|part| part.passes(text)),
            Self::All(parts) => parts.iter().all(|part| part.passes(text)),
            Self::Not(inner) => !inner.passes(text),
        }
    }
}

impl Texts {
    /// A set of these.
    pub fn new(texts: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        let mut texts: Vec<Box<[u8]>> = texts.into_iter().map(|text| text.into().into_boxed_slice()).collect();
        texts.sort_unstable();
        texts.dedup();
        Self(texts)
    }

    fn contains(&self, text: &[u8]) -> bool {
        self.0.binary_search_by(|known| (**known).cmp(text)).is_ok()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.0.iter().map(|text| &**text)
    }
}

impl Glob {
    /// Text made of these pieces with wildcards between them; the first and the last may be empty. There is at least
    /// one.
    pub fn new(pieces: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        let mut pieces: Vec<Box<[u8]>> = pieces.into_iter().map(|piece| piece.into().into_boxed_slice()).collect();
        let end = if pieces.len() > 1 { pieces.pop() } else { None };
        let mut pieces = pieces.into_iter();
        Self {
            start: pieces.next().unwrap_or_default(),
            middle: pieces.filter(|piece| !piece.is_empty()).map(|piece| Finder::new(&piece).into_owned()).collect(),
            end,
        }
    }

    /// The first match of each piece is as good as any other, so one pass is enough for any number of wildcards.
    fn matches(&self, text: &[u8]) -> bool {
        let Some(end) = &self.end else { return *self.start == *text };
        let Some(rest) = text.strip_prefix(&*self.start) else { return false };
        let Some(mut rest) = rest.strip_suffix(&**end) else { return false };
        for piece in &self.middle {
            let Some(at) = piece.find(rest) else { return false };
            rest = &rest[at + piece.needle().len()..];
        }
        true
    }
}

impl NumberTest {
    fn passes(&self, text: &[u8]) -> bool {
        let number = |text: &[u8]| str::from_utf8(text).ok()?.parse::<f64>().ok();
        match self {
            Self::Written(wanted) => wanted.as_bytes() == text,
            Self::Exact => str::from_utf8(text).is_ok_and(|text| exact(text).is_some()),
            Self::Between(low, high) => number(text).is_some_and(|number| {
                let above = match low {
                    Bound::Included(low) => *low <= number,
                    Bound::Excluded(low) => *low < number,
                    Bound::Unbounded => true,
                };
                let below = match high {
                    Bound::Included(high) => number <= *high,
                    Bound::Excluded(high) => number < *high,
                    Bound::Unbounded => true,
                };
                above && below
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_by_text_and_by_value() {
        let written = NumberTest::Written("300".into());
        assert!(written.passes(b"300") && !written.passes(b"300.0"));
        assert!(NumberTest::Exact.passes(b"3.0e2") && !NumberTest::Exact.passes(b"123456789012345678901"));
        let between = NumberTest::Between(Bound::Excluded(0.0), Bound::Included(10.0));
        assert!(between.passes(b"10") && between.passes(b"1e-9") && !between.passes(b"0") && !between.passes(b"10.1"));
    }

    #[test]
    fn a_glob_of_many_holes_is_one_pass() {
        let glob = Glob::new(vec!["a"; 200]);
        assert!(!glob.matches("a".repeat(199).as_bytes()));
        assert!(glob.matches("ab".repeat(100_000).as_bytes().strip_suffix(b"b").expect("it ends so")));
    }

    proptest! {
        /// A regular expression is the oracle.
        #[test]
        fn globs(pieces in prop::collection::vec("[ab]{0,2}", 1..5), text in "[ab]{0,8}") {
            let expression = format!("^(?s:{})$", pieces.join(".*"));
            let expected = Regex::new(&expression).expect("an expression").is_match(text.as_bytes());
            let glob = Glob::new(pieces.iter().map(String::as_str));
            prop_assert_eq!(glob.matches(text.as_bytes()), expected, "{:?} {}", pieces, text);
        }
    }
}
