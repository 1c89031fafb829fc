//! Where files come from: [`key`] reads what their names say, [`Selection`] decides by it which of them to read, [`local`] and
//! [`object`] list them. Where they go: [`storage`] writes them.

pub mod key;
mod linked;
mod listed;
mod local;
pub mod object;
mod path_text;
mod selection;
pub mod storage;

pub(crate) use linked::{Links, Way};
pub use listed::{At, Entry, Keys, Listed};
pub(crate) use local::is_apple_double;
pub use local::{Listing, has_log_ending, words};
pub(crate) use local::{is_folder, unreadable, unwritable};
pub use object::{Named, keys, named};
pub(crate) use path_text::{path_of, path_text};
pub use selection::{Barren, Paths, Seen, Selection, Skip};
