//! Duplicates: one event delivered twice, as by two trails.
//!
//! **A duplicate** is a record of the same event as an earlier one that says the same. The event is the text of
//! `eventID` and of `recipientAccountId`, which records before version 1.02 do not have; for aggregated events, of
//! `eventId` and `accountId`. What a record says is all of it except the order of members, white space and the spelling
//! of escapes, in which deliveries differ. A record of the same event that says something else is not a duplicate: it
//! stays, and is counted. Neither is a record without an id: nothing distinguishes its event from another one in the
//! same second.
//!
//! **Exact** rests on SHA-256: the first 128 bits of both hashes are compared. Two different records count as the same
//! if 256 bits agree by chance. Among a billion events, the probability that a record is wrongly taken for an earlier
//! event is 10⁻²⁰.
//!
//! Workers make the keys, in any order; which records are duplicates is decided where batches are taken, since the
//! order of files is known there. So the first record in that order stays, whatever the number of workers.

mod batch;
mod content;
pub(crate) mod key;
mod known;
mod noted;
pub(crate) mod set;

use std::sync::{Mutex, PoisonError};

use arrow_array::RecordBatch;

use crate::error::{Error, ErrorKind};
use key::{RowKey, RowKeys};
pub use known::{Copy, Repeated, repeated, sorted, without};
pub use noted::Noted;
use set::{Seen, Set};

/// The records so far, of one or more scans, one after another.
pub struct Dedupe {
    set: Mutex<Set>,
    removes: bool,
}

/// The result for a batch.
pub(crate) struct Told {
    /// Its rows, without duplicates if those are removed.
    pub(crate) rows: Option<RecordBatch>,
    pub(crate) found: Duplicates,
    /// Whether each row of the batch is kept as not a copy.
    pub(crate) stays: Vec<bool>,
}

/// Counts of records whose event was seen before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// Records that say the same as an earlier one.
    pub copies: u64,
    /// Records that say something else than the earlier ones.
    pub differ: u64,
    /// Records that cannot be compared, since they have no id.
    pub without_id: u64,
}

impl Duplicates {
    pub(crate) fn add(&mut self, next: Self) {
        self.copies += next.copies;
        self.differ += next.differ;
        self.without_id += next.without_id;
    }
}

impl Dedupe {
    /// Starts without records, and removes duplicates or only counts them.
    #[must_use]
    pub fn new(removes: bool) -> Self {
        Self { set: Mutex::default(), removes }
    }

    /// Counts the duplicates in the next batch, and removes them if `self` removes; `rows` is `None` when none is left.
    pub(crate) fn next(&self, batch: RecordBatch, keys: &RowKeys) -> Result<Told, Error> {
        debug_assert_eq!(batch.num_rows(), keys.0.len());
        let mut found = Duplicates::default();
        let mut stays = Vec::with_capacity(keys.0.len());
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &keys.0 {
            let seen = match key {
                RowKey::Place(_) => {
                    found.without_id += 1;
                    Seen::First
                }
                RowKey::Event(key) => set.put(*key).map_err(|error| unwritable(&error))?,
            };
            found.differ += u64::from(seen == Seen::Other);
            found.copies += u64::from(seen == Seen::Copy);
            stays.push(seen != Seen::Copy);
        }
        let rows = if self.removes { batch::kept(batch, &stays, found.copies as usize) } else { Some(batch) };
        Ok(Told { rows, found, stays })
    }

    /// Whether duplicates are removed.
    pub(crate) fn removes(&self) -> bool {
        self.removes
    }
}

/// The error when keys cannot be written to disk.
fn unwritable(error: &std::io::Error) -> Error {
    let folder = std::env::temp_dir();
    let why = format!(
        "{error}; to tell duplicates, 32 bytes for each event are kept in this folder, unless TMPDIR names another one"
    );
    Error::whole(ErrorKind::Unwritable(why)).in_file(&folder.to_string_lossy())
}
