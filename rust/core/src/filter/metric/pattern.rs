//! A whole filter pattern: which of the four languages it is in, and how it is written.

use std::fmt;

use super::error::{FilterError, FilterErrorKind, MAX_LENGTH};
use super::expression::Expression;
use super::reader::Reader;
use super::{fields, json, terms};

/// A CloudWatch Logs filter pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterPattern(pub(super) Language);

/// The language that the first character tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Language {
    /// Nothing is asked.
    Everything,
    Json(json::Condition),
    Fields(fields::Fields),
    Expression(Expression),
    Terms(terms::Terms),
}

impl FilterPattern {
    /// Reads a filter pattern as `PutMetricFilter` takes it. Nothing, and a blank in quotes, are met by every record.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let length = text.chars().count();
        if length > MAX_LENGTH {
            return Err(FilterError::new(FilterErrorKind::TooLong(length), text, text));
        }
        if matches!(text.trim_ascii(), "\"\"" | "\" \"") {
            return Ok(Self(Language::Everything));
        }
        let mut reader = Reader::new(text);
        Ok(Self(match reader.rest().chars().next() {
            None => Language::Everything,
            Some('{') => {
                let condition = json::Condition::parse(&mut reader)?;
                no_blanks_outside(text)?;
                Language::Json(condition)
            }
            Some('[') => Language::Fields(fields::Fields::parse(&mut reader)?),
            Some('%') => {
                let expression = reader.expression()?;
                reader.end()?;
                Language::Expression(expression)
            }
            Some(_) => Language::Terms(terms::Terms::parse(&mut reader)?),
        }))
    }
}

/// `CloudWatch` tells the language by the very first character.
fn no_blanks_outside(text: &str) -> Result<(), FilterError> {
    let inside = text.trim_ascii_end();
    if text.starts_with('{') && inside.len() == text.len() {
        return Ok(());
    }
    let rest = if text.starts_with('{') { &text[inside.len()..] } else { text };
    Err(FilterError::new(FilterErrorKind::Blanks, text, rest))
}

/// The normal form: a blank around each sign, no brackets that change nothing, texts in double quotes.
impl fmt::Display for FilterPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Language::Everything => Ok(()),
            Language::Json(condition) => write!(f, "{{ {condition} }}"),
            Language::Fields(fields) => write!(f, "{fields}"),
            Language::Expression(expression) => write!(f, "%{}%", expression.source()),
            Language::Terms(terms) => write!(f, "{terms}"),
        }
    }
}
