//! Where files come from: [`key`] reads what their names say, [`Selection`] decides by it which of them to read, [`local`] and
//! [`object`] list them. Where they go: [`storage`] writes them.

pub mod key;
mod listed;
mod local;
pub mod object;
mod selection;
pub mod storage;

pub use listed::{At, Entry, Keys, Listed};
pub use local::{Listing, has_log_ending, words};
pub(crate) use local::{is_folder, unreadable, unwritable};
pub use object::{Named, keys, named};
pub use selection::{Paths, Selection, Skip};
