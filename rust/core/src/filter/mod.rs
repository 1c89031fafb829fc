//! One form for every condition on a record: what Polars pushes down, and what event selectors, filter patterns and event patterns
//! compile to. It is evaluated on the record's bytes, before any column is built.

mod address;
mod column;
mod derived;
mod folded;
mod join;
mod known;
mod locate;
pub mod metric;
mod number;
mod path;
pub mod pattern;
mod predicate;
mod rules;
mod search;
pub mod selector;
mod single;
mod value;

pub use address::{Address, Block, BlockError};
pub use column::{Field, Test};
pub use folded::Folded;
pub use path::{Derived, Path, Step};
pub use predicate::{Predicate, Slot};
pub(crate) use rules::Matcher;
pub use rules::{Rules, Unmet};
pub(crate) use search::Search;
pub use single::{Filter, Single};
pub use value::{Glob, Kind, NumberTest, TextTest, Texts, ValueTest};

#[cfg(test)]
mod tests;
