//! Reads AWS `CloudTrail` archives into Arrow record batches: everything of ctfast that is true without Python.
//!
//! A [`Scan`] takes a [`Plan`]: which files ([`scan::Selection`]), which records and columns of them ([`scan::Query`]),
//! and with which resources ([`scan::Run`]); what cannot be a value, such as connections, is passed next to it
//! ([`Live`]). Its workers inflate each file into an arena, index the tokens of the text, frame the records, filter
//! them as spans of that text and build arrays whose text points into the arena. [`Scan::next`] gives the batches in
//! the order of the files, and [`Scan::report`] accounts for every file and record.

mod arena;
pub mod bounds;
mod clock;
mod columns;
pub mod dedupe;
pub mod digest;
pub mod error;
mod event;
pub mod filter;
pub mod floor;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod hash;
mod inflate;
pub mod integrity;
mod json;
pub mod ledger;
pub mod needle;
pub mod partition;
mod scalar;
pub mod scan;
pub mod schema;
pub mod source;
pub mod sql;
#[cfg(test)]
mod testing;
mod unchecked;
pub mod words;

pub use error::{Error, ErrorKind};
pub use inflate::Limits;
pub use scan::{Live, Next, Plan, Report, Scan};
