//! Records that came before: one event delivered twice, as by two trails.
//!
//! **A duplicate** is a record whose event has come before and said the same. The event is the text of `eventID` and of
//! `recipientAccountId`, which records of before version 1.02 do not have; of aggregated events, of `eventId` and `accountId`. What
//! it says is all of the record but the order of members, white space and the spelling of escapes, in which deliveries differ. A record
//! of the same event that says something else is no duplicate: it stays, and is counted. A record without an id is none either:
//! nothing tells it from another one that happened in the same second.
//!
//! **Exact** rests on SHA-256: of both the first 128 bits are compared. So two different records are taken for one if 256 bits agree
//! by chance, and a record is wrongly said to be of an event that came before with a probability of 10⁻²⁰ among a billion events.
//!
//! Workers make the keys, in any order; whether a record came before is decided where the order of files is known, by whoever takes
//! the batches. So the first in that order stays, whatever the number of workers.

mod batch;
mod content;
pub(crate) mod key;
pub(crate) mod set;

use std::sync::{Mutex, PoisonError};

use arrow_array::RecordBatch;

use crate::error::{Error, ErrorKind};
use key::RowKeys;
use set::{Seen, Set};

/// What became of the records of some scans so far, one after another.
pub struct Dedupe {
    set: Mutex<Set>,
    removes: bool,
}

/// What is told of a batch.
pub(crate) struct Told {
    /// Its rows, without duplicates if those are removed.
    pub(crate) rows: Option<RecordBatch>,
    pub(crate) found: Duplicates,
    /// Of each row that came, whether it is no copy.
    pub(crate) stays: Vec<bool>,
}

/// Records of events that came before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// Those that say the same as an earlier one.
    pub copies: u64,
    /// Those that say something else.
    pub differ: u64,
    /// Those of which nothing can be told, since they have no id.
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
    /// Knows no record so far. It removes duplicates, or it counts them only.
    #[must_use]
    pub fn new(removes: bool) -> Self {
        Self { set: Mutex::default(), removes }
    }

    /// Counts the duplicates of the next batch, and removes them if that is asked for: then there are no rows when none is left.
    pub(crate) fn next(&self, batch: RecordBatch, keys: &RowKeys) -> Result<Told, Error> {
        debug_assert_eq!(batch.num_rows(), keys.0.len());
        let mut found = Duplicates::default();
        let mut stays = Vec::with_capacity(keys.0.len());
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &keys.0 {
            let seen = match key {
                None => {
                    found.without_id += 1;
                    Seen::First
                }
                Some(key) => set.put(*key).map_err(|error| unwritable(&error))?,
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

/// What does not fit in memory has no place.
fn unwritable(error: &std::io::Error) -> Error {
    let folder = std::env::temp_dir();
    let why =
        format!("{error}; to tell duplicates, 32 bytes for each event are kept in this folder, unless TMPDIR names another one");
    Error::whole(ErrorKind::Unwritable(why)).in_file(&folder.to_string_lossy())
}
