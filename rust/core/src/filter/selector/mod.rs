//! Event selectors of trails and event data stores, basic and advanced: which events CloudTrail logs.

mod catalog;
mod check;
mod compile;
mod convert;
mod error;
mod field;
mod read;
mod selectors;
mod show;
mod words;

pub use compile::Unknown;
pub use error::SelectorError;
pub use field::{Category, Field, Operator, Target};
pub use read::Checked;
pub use selectors::{AdvancedSelector, BasicSelector, DataResource, EventSelectors, FieldSelector, ReadWrite};

#[cfg(test)]
mod tests;
