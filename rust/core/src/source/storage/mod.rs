//! Where files are written: everything that this package puts on a disk goes through [`NewFile`].

mod new_file;

pub use new_file::{Existing, NewFile, make_folders, remove_leftovers};
