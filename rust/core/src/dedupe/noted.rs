//! The keys of the rows that a scan hands over, for a reader that stores both.

use std::sync::{Mutex, PoisonError};

use super::key::{KEY, RowKey, RowKeys};

/// Keys in the order of the rows, until they are taken.
#[derive(Default)]
pub struct Noted(Mutex<Vec<u8>>);

impl Noted {
    pub(crate) fn add(&self, keys: &RowKeys) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for RowKey::Event(key) | RowKey::Place(key) in &keys.0 {
            noted.extend_from_slice(&key.0);
        }
    }

    /// The keys of the next `rows` rows, or of fewer if there are no more.
    pub fn take(&self, rows: usize) -> Vec<u8> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = rows.saturating_mul(KEY).min(noted.len());
        noted.drain(..bytes).collect()
    }
}
