//! Bytes to structure. [`Index`] finds the tokens of a window of text at the speed of memory; [`Cursor`] walks them by
//! the grammar of JSON, without building anything; [`Value`] is a span that it has passed. [`document`] builds a tree
//! of a small text, and [`canon`] writes our own values so that equal ones are equal texts.

pub(crate) mod block;
pub(crate) mod canon;
mod cursor;
pub(crate) mod document;
mod index;
mod text;

pub(crate) use cursor::{Cursor, Key, Value, is_space};
pub(crate) use index::{Index, MAX_WINDOW, PADDING};
pub(crate) use text::{decoded, quote, unescape};
