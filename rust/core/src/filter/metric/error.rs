//! Why a text is not a filter pattern.

use std::fmt::{self, Write as _};

use crate::error::line_and_column;
use crate::filter::{Finding, Refused, Severity};

/// The most characters of a filter pattern.
pub(super) const MAX_LENGTH: usize = 1024;

/// Why CloudWatch Logs would refuse a text as a filter pattern, and where the error is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    kind: FilterErrorKind,
    line: usize,
    column: usize,
}

/// What is wrong with a filter pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterErrorKind {
    /// It has this many characters.
    TooLong(usize),
    /// Something else was expected.
    Unexpected {
        /// What was expected, in words.
        expected: &'static str,
        /// The word or the character; `None` at the end.
        found: Option<String>,
    },
    /// It has too many of something.
    TooMany {
        /// What it has too many of.
        of: &'static str,
        /// The most that are allowed.
        limit: usize,
    },
    /// Two fields have the same name.
    Twice(String),
    /// Blanks stand before the opening brace or after the closing one.
    Blanks,
    /// A regular expression has something that is not allowed.
    Expression(&'static str),
}

impl FilterError {
    /// An error where `rest` begins, which is the end part of `text`.
    pub(super) fn new(kind: FilterErrorKind, text: &str, rest: &str) -> Self {
        let (line, column) = line_and_column(text, text.len() - rest.len());
        Self { kind, line, column }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &FilterErrorKind {
        &self.kind
    }
}

impl From<FilterError> for Refused {
    fn from(FilterError { kind, line, column }: FilterError) -> Self {
        let (code, message, path) = (kind.name(), kind.to_string(), String::new());
        Self(vec![Finding { severity: Severity::Error, code, message, path, position: Some((line, column)) }])
    }
}

impl FilterErrorKind {
    /// A short, stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "too-long",
            Self::Unexpected { .. } => "syntax",
            Self::TooMany { .. } => "too-many",
            Self::Twice(_) => "field-twice",
            Self::Blanks => "blanks",
            Self::Expression(_) => "regular-expression",
        }
    }
}

impl fmt::Display for FilterErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(length) => write!(f, "a filter pattern has at most {MAX_LENGTH} characters, not {length}"),
            Self::Unexpected { expected, found: Some(found) } => {
                write!(f, "expected {expected} but found '")?;
                for character in found.chars() {
                    // A line break would break the sentence.
                    let breaks = character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
                    if breaks { write!(f, "{}", character.escape_debug())? } else { f.write_char(character)? }
                }
                f.write_char('\'')
            }
            Self::Unexpected { expected, found: None } => {
                write!(f, "expected {expected} but found the end of the filter pattern")
            }
            Self::TooMany { of, limit } => write!(f, "at most {limit} {of}"),
            Self::Twice(name) => write!(f, "the field '{name}' appears twice"),
            Self::Blanks => {
                f.write_str("a pattern on JSON begins with its brace and ends with it: no blanks outside of them")
            }
            Self::Expression(why) => write!(f, "regular expression: {why}"),
        }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, line, column } = self;
        match kind {
            FilterErrorKind::TooLong(_) => write!(f, "{kind}"),
            _ => write!(f, "{kind} at line {line}, column {column}"),
        }
    }
}

impl std::error::Error for FilterError {}
