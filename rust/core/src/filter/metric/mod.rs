//! CloudWatch Logs filter patterns, the language of metric filters and subscription filters: on the fields of a JSON record, on words
//! in its text, on a regular expression in it, or on fields that blanks divide.

mod compile;
mod error;
mod expression;
mod fields;
mod json;
mod lint;
mod operand;
mod pattern;
mod reader;
mod terms;

pub use error::{FilterError, FilterErrorKind};
pub use fields::Fields;
pub use lint::{Remark, RemarkKind};
pub use pattern::FilterPattern;

#[cfg(test)]
mod tests;
