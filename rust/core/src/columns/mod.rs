//! Records to Arrow arrays: [`Builders`] holds one builder per column of [`crate::schema::COLUMNS`] that is asked for.

mod builders;
mod cells;
mod extra;
mod list;
mod recut;
mod retyped;
mod tags;

pub(crate) use builders::{Builders, Place};
pub(crate) use recut::Recut;
pub(crate) use retyped::retyped;
pub(crate) use tags::Tags;

#[cfg(test)]
mod tests;
