//! CloudWatch Logs filter patterns, the language of metric filters and subscription filters: on the fields of a JSON record, on words
//! in its text, on a regular expression in it, or on fields that blanks divide.

mod compile;
mod error;
mod expression;
mod fields;
mod json;
mod lint;
mod operand;
mod reader;
mod terms;

use std::fmt;

pub use error::{FilterError, FilterErrorKind};
pub use fields::Fields;
pub use lint::{Remark, RemarkKind};

use expression::Expression;
use reader::Reader;

/// How many characters a filter pattern may have.
const MAX_LENGTH: usize = 1024;

/// A CloudWatch Logs filter pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterPattern(Language);

/// The language that the first character tells.
#[derive(Debug, Clone, PartialEq)]
enum Language {
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

#[cfg(test)]
mod tests;
