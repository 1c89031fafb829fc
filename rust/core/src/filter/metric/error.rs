//! Why a text is no filter pattern.

use std::fmt::{self, Write as _};

use crate::error::line_and_column;

/// How many characters a filter pattern may have.
pub(super) const MAX_LENGTH: usize = 1024;

/// A text that CloudWatch Logs would not take as a filter pattern: what is wrong, and where.
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
    /// It has so many characters.
    TooLong(usize),
    /// Something else was expected.
    Unexpected {
        /// In words.
        expected: &'static str,
        /// The word or the character; `None` at the end.
        found: Option<String>,
    },
    /// It has too many of something.
    TooMany {
        /// What there are too many of.
        of: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// A field of a text has a name that another one has.
    Twice(String),
    /// Blanks stand before the opening brace or after the closing one.
    Blanks,
    /// What a regular expression must not have.
    Expression(&'static str),
}

impl FilterError {
    /// At the place where `rest` begins, which is the end of `text`.
    pub(super) fn new(kind: FilterErrorKind, text: &str, rest: &str) -> Self {
        let (line, column) = line_and_column(text, text.len() - rest.len());
        Self { kind, line, column }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &FilterErrorKind {
        &self.kind
    }

    /// The line, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The character of the line, counted from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
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
                    // What breaks lines would break the sentence.
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
            Self::Blanks => f.write_str("a pattern on JSON begins with its brace and ends with it: no blanks outside of them"),
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
