//! Documents to records to values. `definition` says what is a record; [`Framing`] finds the records of a file,
//! whatever its shape; [`Record`] is one record as a set of spans in the window, one per column.

pub(crate) mod definition;
mod document;
pub(crate) mod foreign;
mod framing;
mod inside;
mod lists;
mod record;
mod stamped;
mod torn;

pub(crate) use framing::{Framing, Origin, Visitor, Walked, is_at, pass_space};
pub(crate) use record::{Name, Record, Stray, Wanted, find};
