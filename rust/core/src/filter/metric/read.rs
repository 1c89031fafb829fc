//! A whole filter pattern: its language, one of four, and its normal form.

use std::fmt;

use super::error::{FilterError, FilterErrorKind, MAX_LENGTH};
use super::expression::Expression;
use super::reader::Reader;
use super::{fields, json, terms};

/// A CloudWatch Logs filter pattern.
#[derive(Debug, Clone)]
pub struct FilterPattern {
    pub(super) tree: Tree,
    /// Whether it has terms that are ignored.
    pub(super) ignores: bool,
}

/// The language, which the first character decides.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    /// No condition.
    Everything,
    Json(json::Condition),
    Fields(fields::Fields),
    Expression(Expression),
    Terms(terms::Terms),
}

impl FilterPattern {
    /// Reads a filter pattern as `PutMetricFilter` accepts it. Every record meets an empty one, or a blank in quotes.
    pub fn read(text: &str) -> Result<Self, FilterError> {
        let length = text.chars().count();
        if length > MAX_LENGTH {
            return Err(FilterError::new(FilterErrorKind::TooLong(length), text, text));
        }
        Self::read_form(text)
    }

    /// Parses a normal form, which may be longer than its pattern.
    pub(in crate::filter) fn read_form(text: &str) -> Result<Self, FilterError> {
        let mut reader = Reader::new(text);
        let mut ignores = false;
        let tree = match reader.rest().chars().next() {
            None => Tree::Everything,
            _ if matches!(text.trim_ascii(), "\"\"" | "\" \"") => Tree::Everything,
            Some('{') => {
                let condition = json::Condition::parse(&mut reader)?;
                no_blanks_outside(text)?;
                Tree::Json(condition)
            }
            Some('[') => Tree::Fields(fields::Fields::parse(&mut reader)?),
            Some('%') => {
                let expression = reader.expression()?;
                reader.end()?;
                Tree::Expression(expression)
            }
            Some(_) => {
                let (terms, unused) = terms::Terms::parse(&mut reader)?;
                ignores = unused > 0;
                Tree::Terms(terms)
            }
        };
        Ok(Self { tree, ignores })
    }
}

/// Ignored terms make no difference.
impl PartialEq for FilterPattern {
    fn eq(&self, other: &Self) -> bool {
        self.tree == other.tree
    }
}

/// In CloudWatch, the very first character decides the language.
fn no_blanks_outside(text: &str) -> Result<(), FilterError> {
    let inside = text.trim_ascii_end();
    if text.starts_with('{') && inside.len() == text.len() {
        return Ok(());
    }
    let rest = if text.starts_with('{') { &text[inside.len()..] } else { text };
    Err(FilterError::new(FilterErrorKind::Blanks, text, rest))
}

/// The normal form: a blank around each sign, no redundant brackets, strings in double quotes.
impl fmt::Display for FilterPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tree {
            Tree::Everything => Ok(()),
            Tree::Json(condition) => write!(f, "{{ {condition} }}"),
            Tree::Fields(fields) => write!(f, "{fields}"),
            Tree::Expression(expression) => write!(f, "%{}%", expression.source()),
            Tree::Terms(terms) => write!(f, "{terms}"),
        }
    }
}
