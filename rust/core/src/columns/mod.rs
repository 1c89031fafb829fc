//! Records to Arrow arrays: [`Builders`] holds one builder per column of [`crate::schema::COLUMNS`] that is asked for.

mod builders;
mod cells;
mod extra;
mod list;

pub(crate) use builders::{Builders, Place};

#[cfg(test)]
mod tests;
