//! What became of each file: one row per file, for callers that keep account of what is done.
//!
//! Files that a listing skips have rows as well, and so do folders that are not listed at all, whose files are not
//! known. A [`Ledger`] takes the rows of one scan after another and holds a bounded number of them in memory; [`table`]
//! makes a batch of rows.

mod row;
mod spill;
pub mod table;

use std::sync::{Mutex, PoisonError};

use crate::bounds::LEDGER_ROWS;
use crate::error::{Error, ErrorKind};
pub use row::{Outcome, Row};
use spill::Spill;

/// The rows of one scan after another. The latest, [`LEDGER_ROWS`] at most, are in memory, the earlier ones on disk.
#[derive(Debug, Default)]
pub struct Ledger {
    state: Mutex<State>,
    /// Whether the rows should have the hashes of the files.
    hashes: bool,
}

#[derive(Debug, Default)]
struct State {
    spill: Spill,
    latest: Vec<Row>,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new(hashes: bool) -> Self {
        Self { hashes, ..Self::default() }
    }

    pub(crate) fn wants_hashes(&self) -> bool {
        self.hashes
    }

    /// Appends rows.
    pub fn extend(&self, rows: impl IntoIterator<Item = Row>) -> Result<(), Error> {
        self.with(|State { spill, latest }| {
            for row in rows {
                latest.push(row);
                if latest.len() == LEDGER_ROWS {
                    spill.push(latest)?;
                    latest.clear();
                }
            }
            Ok(())
        })
    }

    /// The rows of a page, counted from 0; none after the last one.
    pub fn page(&self, number: usize) -> Result<Vec<Row>, Error> {
        self.with(|State { spill, latest }| match spill.page(number)? {
            None if number == spill.pages() => Ok(latest.clone()),
            rows => Ok(rows.unwrap_or_default()),
        })
    }

    /// Removes and returns the first page of rows that are left; empty when none are.
    pub fn take(&self) -> Result<Vec<Row>, Error> {
        self.with(|State { spill, latest }| Ok(spill.take()?.unwrap_or_else(|| std::mem::take(latest))))
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> std::io::Result<T>) -> Result<T, Error> {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner)).map_err(|error| unwritable(&error))
    }
}

/// The error when rows cannot be written to disk: it names the folder, and how to choose another one.
fn unwritable(error: &std::io::Error) -> Error {
    let folder = std::env::temp_dir();
    let why = format!("{error}; the rows of a ledger are kept in this folder, unless TMPDIR names another one");
    Error::whole(ErrorKind::Unwritable(why)).in_file(&folder.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: usize) -> Row {
        let reason = number.is_multiple_of(3).then(|| format!("reason {number}").into());
        let outcome = Outcome::ALL[number % Outcome::ALL.len()];
        let some = |of: usize| number.is_multiple_of(of).then_some(number as u64);
        Row {
            size: some(2),
            etag: some(5).map(|_| "\"e\"".to_owned()),
            read: number as u64,
            skipped: u64::MAX,
            open: 1,
            duplicates: some(7),
            reason,
            byte: some(11),
            sha256: some(13).map(|_| "ab".repeat(32)),
            ..Row::new(format!("é/{number}"), outcome)
        }
    }

    #[test]
    fn rows_come_back_as_they_were_from_memory_and_from_the_disk() {
        let count = 2 * LEDGER_ROWS + 7;
        let rows: Vec<_> = (0..count).map(row).collect();
        let ledger = Ledger::new(false);
        for some in rows.chunks(1000) {
            ledger.extend(some.to_vec()).expect("a disk");
        }
        for _ in 0..2 {
            let pages: Vec<_> =
                (0..9).map(|page| ledger.page(page).expect("a disk")).take_while(|page| !page.is_empty()).collect();
            assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [LEDGER_ROWS, LEDGER_ROWS, 7]);
            assert!(pages.concat() == rows);
        }
    }

    #[test]
    fn rows_that_are_taken_are_gone() {
        let ledger = Ledger::new(false);
        for round in 0..2 {
            let rows: Vec<_> = (0..LEDGER_ROWS + round).map(row).collect();
            ledger.extend(rows.clone()).expect("a disk");
            let taken = std::iter::repeat_with(|| ledger.take().expect("a disk")).take_while(|rows| !rows.is_empty());
            assert!(taken.flatten().collect::<Vec<_>>() == rows);
        }
    }
}
