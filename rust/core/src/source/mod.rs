//! Where files come from: [`key`] parses their names, [`Choice`] decides by the names which files to read, [`local`]
//! and [`object`] list files, [`split`] divides them; [`Storage`] combines local disk and buckets, opens files, and
//! writes new ones.

mod archived;
mod choice;
pub mod key;
mod linked;
mod listed;
mod local;
pub mod object;
mod path_text;
mod seen;
mod skip;
pub mod split;
pub mod storage;

pub use archived::{Archived, Class, State};
pub use choice::{Choice, Paths, Sieve};
pub(crate) use linked::{Links, Way};
pub use listed::{At, Entry, Keys, Listed};
pub(crate) use local::is_apple_double;
pub use local::{Listing, has_log_ending, words};
pub(crate) use local::{is_folder, unreadable, unwritable, version_of};
pub(crate) use path_text::{path_of, path_text};
pub use seen::{Barren, Seen};
pub use skip::Skip;
pub(crate) use storage::{Body, Opened, is_whole};
pub use storage::{Named, Storage};
