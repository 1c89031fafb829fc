//! One form for every condition on a record: what Polars pushes down, and what event selectors, filter patterns and
//! event patterns compile to. It is evaluated on the record's bytes, before any column is built.
//!
//! A language is a folder with one function in each of four files, and an entry in the table of `language`:
//! * `read`: text to a tree, whose `Display` is its normal form;
//! * `check`: the tree to [`Finding`]s about it;
//! * `compile`: the tree to a [`Filter`], since evaluation knows no languages;
//! * `error`: what is wrong with a text and where, as a type that converts into [`Refused`].

mod address;
mod column;
mod derived;
mod finding;
mod folded;
mod form;
mod join;
mod known;
mod language;
mod locate;
pub mod metric;
mod number;
mod path;
pub mod pattern;
mod predicate;
mod pushed;
mod rules;
mod search;
pub mod selector;
mod single;
mod value;

pub use address::{Address, Block, BlockError};
pub use column::{Field, Test};
pub use finding::{Finding, Refused, Severity};
pub use folded::Folded;
pub use form::{Form, Stated};
pub use language::{Language, Switches, Written};
pub use path::{Derived, Path, Step};
pub use predicate::{Predicate, Slot};
pub use pushed::Pushed;
pub(crate) use rules::Matcher;
pub use rules::{Rules, Unmet};
pub(crate) use search::Search;
pub use single::{Filter, Single};
pub use value::{Glob, Kind, NumberTest, TextTest, Texts, ValueTest};

#[cfg(test)]
mod tests;
