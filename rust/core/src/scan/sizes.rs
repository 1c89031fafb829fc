//! How large files are, for whoever has only their rows.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Bytes of files as stored, by the values of the column `file`, from when they are opened until they are asked for.
#[derive(Debug, Default)]
pub struct Sizes(Mutex<HashMap<String, Vec<u64>>>);

impl Sizes {
    /// Notes a file that is opened. One that is listed twice is noted twice.
    pub(super) fn put(&self, key: &str, bytes: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key.to_owned()).or_default().push(bytes);
    }

    /// The size of a file, once for each time that it was opened.
    pub fn take(&self, key: &str) -> Option<u64> {
        let mut sizes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = sizes.get_mut(key)?;
        let bytes = noted.pop();
        if noted.is_empty() {
            sizes.remove(key);
        }
        bytes
    }
}
