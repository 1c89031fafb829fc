//! Why a text is not an event pattern, and where the error is.

use std::fmt;

use super::wildcard::WildcardError;
use crate::error::{excerpt, line_and_column};
use crate::filter::{BlockError, Finding, Refused, Severity};

/// A refusal: what is wrong, in which field, and where in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    kind: PatternErrorKind,
    field: String,
    line: usize,
    column: usize,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternErrorKind {
    /// The text is not JSON: what was expected, and the character that was found (`None` at the end).
    InvalidJson(&'static str, Option<char>),
    /// The text has more bytes than this.
    TooLong(u64),
    /// Objects are nested deeper than this.
    TooDeep(usize),
    /// More fields than this must be met at once.
    TooManyFields(usize),
    /// `$or` makes more combinations than this.
    TooManyCombinations(usize),
    /// A value has the wrong kind: what it belongs to, what was expected, what was found.
    WrongType {
        /// The operator, or a part of the pattern.
        of: &'static str,
        /// The accepted kinds.
        expected: &'static str,
        /// The kind that was found.
        found: &'static str,
    },
    /// An object without members.
    EmptyObject,
    /// An array without elements.
    EmptyArray,
    /// There is no operator of this name.
    UnknownOperator(String),
    /// An operator object has more than one member.
    SeveralOperators,
    /// `anything-but`, `prefix` or `suffix` takes no operator of this name: which of them, the name.
    UnsupportedOperator(&'static str, String),
    /// An array of `anything-but` has both strings and numbers.
    MixedList,
    /// A prefix or suffix that every string has.
    EmptyAffix,
    /// `numeric` has no comparison of this name, or not here: the name, what is possible.
    NumericOperator(String, &'static str),
    /// A comparison of `numeric` has no value: the comparison.
    NumericValue(String),
    /// `numeric` has more comparisons than it may have.
    NumericTooLong,
    /// The lower end of a range is not below the upper one.
    NumericRange,
    /// A number that cannot be compared, because a double would change it.
    Incomparable(String),
    /// What is wrong with a wildcard.
    Wildcard(WildcardError),
    /// What is wrong with a block of IP addresses.
    Block(BlockError),
    /// `$or` has less than two objects.
    OrTooShort,
    /// A name that a field inside of `$or` cannot have.
    Reserved(String),
}

impl PatternErrorKind {
    /// A short, stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidJson(..) => "invalid-json",
            Self::TooLong(_) => "too-long",
            Self::TooDeep(_) => "too-deep",
            Self::TooManyFields(_) => "too-many-fields",
            Self::TooManyCombinations(_) => "too-many-combinations",
            Self::WrongType { .. } => "wrong-type",
            Self::EmptyObject => "empty-object",
            Self::EmptyArray => "empty-array",
            Self::UnknownOperator(_) => "unknown-operator",
            Self::SeveralOperators => "several-operators",
            Self::UnsupportedOperator(..) => "unsupported-operator",
            Self::MixedList => "mixed-list",
            Self::EmptyAffix => "empty-affix",
            Self::NumericOperator(..) => "numeric-operator",
            Self::NumericValue(_) => "numeric-value",
            Self::NumericTooLong => "numeric-too-long",
            Self::NumericRange => "numeric-range",
            Self::Incomparable(_) => "incomparable-number",
            Self::Wildcard(_) => "wildcard",
            Self::Block(_) => "cidr",
            Self::OrTooShort => "or-too-short",
            Self::Reserved(_) => "reserved-name",
        }
    }
}

impl fmt::Display for PatternErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidJson(expected, None) => write!(f, "invalid JSON: expected {expected} but found the end"),
            Self::InvalidJson(expected, Some(found)) => {
                write!(f, "invalid JSON: expected {expected} but found {found:?}")
            }
            Self::TooLong(limit) => write!(f, "longer than {limit} bytes"),
            Self::TooDeep(limit) => write!(f, "nested deeper than {limit} objects"),
            Self::TooManyFields(limit) => write!(f, "more than {limit} fields in one combination"),
            Self::TooManyCombinations(limit) => write!(f, "\"$or\" makes more than {limit} combinations"),
            Self::WrongType { of, expected, found } => write!(f, "{of} must be {expected}, not {found}"),
            Self::EmptyObject => f.write_str("empty object: expected a field or an operator"),
            Self::EmptyArray => f.write_str("empty array: expected at least one value"),
            Self::UnknownOperator(name) => write!(f, "unknown operator {:?}", excerpt(name)),
            Self::SeveralOperators => f.write_str("more than one operator in one object"),
            Self::UnsupportedOperator(of, name) => write!(f, "{of:?} takes no operator {:?}", excerpt(name)),
            Self::MixedList => f.write_str("the array of \"anything-but\" must be all strings or all numbers"),
            Self::EmptyAffix => f.write_str("the prefixes and suffixes of \"anything-but\" must not be empty"),
            Self::NumericOperator(name, expected) => {
                write!(f, "\"numeric\" expected {expected} but found {:?}", excerpt(name))
            }
            Self::NumericValue(sign) => write!(f, "\"numeric\" has no number after {:?}", excerpt(sign)),
            Self::NumericTooLong => f.write_str("\"numeric\" goes on after its last comparison"),
            Self::NumericRange => f.write_str("the lower end of the range of \"numeric\" must be below the upper one"),
            Self::Incomparable(text) => {
                write!(f, "cannot compare the number {}: a double does not hold all of its digits", excerpt(text))
            }
            Self::Wildcard(WildcardError::Consecutive(at)) => {
                write!(f, "two stars in a row in the wildcard, at its character {at}")
            }
            Self::Wildcard(WildcardError::Escape(at)) => {
                write!(f, "only \\* and \\\\ are escapes in a wildcard, unlike that at its character {at}")
            }
            Self::Block(BlockError::Form) => f.write_str("\"cidr\" must be an address, '/' and a number of bits"),
            Self::Block(BlockError::Address) => f.write_str("\"cidr\" has no IPv4 or IPv6 address before the '/'"),
            Self::Block(BlockError::Mask(bits)) => write!(f, "\"cidr\" must have less than {bits} bits"),
            Self::OrTooShort => f.write_str("\"$or\" must have at least two objects"),
            Self::Reserved(name) => {
                write!(f, "{name:?} is the name of an operator and cannot be a field inside of \"$or\"")
            }
        }
    }
}

impl PatternError {
    /// An error at a byte of `text`.
    pub(super) fn new(kind: PatternErrorKind, field: &str, text: &str, byte: usize) -> Self {
        let (line, column) = line_and_column(text, byte);
        Self { kind, field: excerpt(field).into_owned(), line, column }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &PatternErrorKind {
        &self.kind
    }
}

impl From<PatternError> for Refused {
    fn from(PatternError { kind, field, line, column }: PatternError) -> Self {
        let (code, message, position) = (kind.name(), kind.to_string(), Some((line, column)));
        Self(vec![Finding { severity: Severity::Error, code, message, path: field, position }])
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, field, line, column } = self;
        if !field.is_empty() {
            write!(f, "{field}: ")?;
        }
        write!(f, "{kind} at line {line}, column {column}")
    }
}

impl std::error::Error for PatternError {}
