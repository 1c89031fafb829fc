//! From a file as stored to its text. [`Reader`] decides how: [`Inflater`] takes whole gzip files of an ordinary size,
//! [`Stream`] reads one layer of gzip piece by piece, and [`Unwrapped`] removes all layers around the text.

mod header;
mod limits;
mod reader;
mod stream;
mod unwrapped;
mod utf16;

pub use limits::Limits;
pub(crate) use reader::Reader;
pub(crate) use stream::{Next, Stream};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use {reader::Inflater, unwrapped::Unwrapped};

#[cfg(test)]
mod tests;
