//! CloudWatch Logs filter patterns, the language of metric filters and subscription filters: on the fields of a JSON
//! record, on words in its text, on a regular expression in it, or on fields separated by blanks.

mod check;
mod compile;
mod error;
mod expression;
mod fields;
mod json;
mod operand;
mod read;
mod reader;
mod terms;

pub use error::{FilterError, FilterErrorKind};
pub use fields::Fields;
pub use read::FilterPattern;

#[cfg(test)]
mod tests;
