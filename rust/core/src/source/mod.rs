//! Where files come from: [`key`] reads what their names say, [`Selection`] decides by it which of them to read, [`local`] lists them.

pub mod key;
mod local;
mod selection;

pub use local::{Entry, Listed, Listing};
pub(crate) use local::{has_log_ending, is_folder, unreadable};
pub use selection::{Paths, Selection, Skip};
