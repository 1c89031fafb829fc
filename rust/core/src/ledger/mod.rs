//! What became of each file: one row per file, for whoever keeps books on what is done.
//!
//! Files that are passed over while folders are listed have rows as well, and so have folders that are not listed at all, whose files
//! nobody has seen. A [`Ledger`] takes the rows of one scan after another and holds a bounded number of them; [`table`] makes a batch
//! of some.

mod spill;
pub mod table;

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use crate::bounds::LEDGER_ROWS;
use crate::error::{Error, ErrorKind};
use crate::source::{Entry, Skip};
use spill::Spill;

/// A file and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its path or address: the value of the column `file`. That of a folder ends in a slash.
    pub key: String,
    /// Bytes as listed.
    pub size: Option<u64>,
    /// What the store called the version that was listed.
    pub etag: Option<String>,
    /// Records that became rows.
    pub read: u64,
    /// Elements that are no records.
    pub bad: u64,
    /// Records that were not asked for, and duplicates if those are removed.
    pub skipped: u64,
    /// Records that say the same as one before: among those that were skipped if they are removed, else among those that were read.
    /// `None` where nobody has looked for them.
    pub duplicates: Option<u64>,
    /// How the file came out.
    pub outcome: Outcome,
    /// Why it is bad, or was skipped: the name of the failure or of the reason.
    pub reason: Option<Cow<'static, str>>,
    /// Where the damage lies, if that is known.
    pub byte: Option<u64>,
    /// SHA-256 of its bytes as stored, in hexadecimal digits, if that was asked for and all of them could be read.
    pub sha256: Option<String>,
}

/// How a file came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Read to its end.
    Read,
    /// Damaged, or not to be had: what was counted came before that.
    Bad,
    /// Not read, since nothing in it is asked for.
    Skipped,
    /// A folder that was not listed, since nothing in it is asked for.
    Pruned,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Read, Self::Bad, Self::Skipped, Self::Pruned];

    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Bad => "bad",
            Self::Skipped => "skipped",
            Self::Pruned => "pruned",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

impl Row {
    /// A file that is about to be read.
    pub(crate) fn of(entry: Entry) -> Self {
        Self { size: entry.size, etag: entry.etag, ..Self::new(entry.key, Outcome::Read) }
    }

    /// A file or folder that could not even be listed.
    #[must_use]
    pub fn failed(error: &Error) -> Self {
        Self::new(error.location().key.clone().unwrap_or_default(), Outcome::Bad).bad(error)
    }

    /// A file that is passed over.
    #[must_use]
    pub fn passed(entry: Entry, reason: Skip) -> Self {
        Self::of(entry).skipped(reason)
    }

    /// A folder that is passed over.
    #[must_use]
    pub fn pruned(folder: String, reason: Skip) -> Self {
        Self { reason: Some(reason.name().into()), ..Self::new(folder, Outcome::Pruned) }
    }

    /// What came out so, without a record.
    #[must_use]
    pub fn new(key: String, outcome: Outcome) -> Self {
        Self {
            key,
            size: None,
            etag: None,
            read: 0,
            bad: 0,
            skipped: 0,
            duplicates: None,
            outcome,
            reason: None,
            byte: None,
            sha256: None,
        }
    }

    /// It is bad.
    pub(crate) fn bad(self, error: &Error) -> Self {
        Self { outcome: Outcome::Bad, reason: Some(error.kind().name().into()), byte: error.location().byte, ..self }
    }

    /// It was skipped.
    pub(crate) fn skipped(self, reason: Skip) -> Self {
        Self { outcome: Outcome::Skipped, reason: Some(reason.name().into()), ..self }
    }
}

/// The rows of one scan after another. The latest are in memory, [`LEDGER_ROWS`] at most, those before them on the disk.
#[derive(Debug, Default)]
pub struct Ledger {
    state: Mutex<State>,
    /// Whether it wants the hashes of the files.
    hashes: bool,
}

#[derive(Debug, Default)]
struct State {
    spill: Spill,
    latest: Vec<Row>,
}

impl Ledger {
    /// Without a row so far.
    #[must_use]
    pub fn new(hashes: bool) -> Self {
        Self { hashes, ..Self::default() }
    }

    pub(crate) fn wants_hashes(&self) -> bool {
        self.hashes
    }

    /// Adds rows, which come next.
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

    /// The rows of a page, counted from 0; none behind the last one.
    pub fn page(&self, number: usize) -> Result<Vec<Row>, Error> {
        self.with(|State { spill, latest }| match spill.page(number)? {
            None if number == spill.pages() => Ok(latest.clone()),
            rows => Ok(rows.unwrap_or_default()),
        })
    }

    /// Some of the rows that nobody has taken yet, the first ones; none when all are taken. They are then gone.
    pub fn take(&self) -> Result<Vec<Row>, Error> {
        self.with(|State { spill, latest }| Ok(spill.take()?.unwrap_or_else(|| std::mem::take(latest))))
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> std::io::Result<T>) -> Result<T, Error> {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner)).map_err(|error| unwritable(&error))
    }
}

/// What does not fit in memory has no place.
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
                (0..).map(|page| ledger.page(page).expect("a disk")).take_while(|page| !page.is_empty()).collect();
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
