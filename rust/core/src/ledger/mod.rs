//! What became of each file: one row per file, for whoever keeps books on what is done.

use crate::error::Error;
use crate::source::{Entry, Skip};

/// A file and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its path or address: the value of the column `file`.
    pub key: String,
    /// Bytes as listed.
    pub size: Option<u64>,
    /// What the store called the version that was listed.
    pub etag: Option<String>,
    /// Records that became rows, those among them that a scan then removes as duplicates.
    pub read: u64,
    /// Elements that are no records.
    pub bad: u64,
    /// Records that were not asked for.
    pub skipped: u64,
    /// How the file came out.
    pub outcome: Outcome,
    /// Why it is bad, or was skipped: the name of the failure or of the reason.
    pub reason: Option<&'static str>,
    /// Where the damage lies, if that is known.
    pub byte: Option<u64>,
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
}

impl Outcome {
    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Bad => "bad",
            Self::Skipped => "skipped",
        }
    }
}

impl Row {
    /// A file that is about to be read.
    pub(crate) fn of(entry: &Entry) -> Self {
        Self { size: entry.size, etag: entry.etag.clone(), ..Self::new(entry.key.clone()) }
    }

    /// A file that could not even be listed.
    pub(crate) fn failed(error: &Error) -> Self {
        Self::new(error.location().key.clone().unwrap_or_default()).bad(error)
    }

    fn new(key: String) -> Self {
        Self { key, size: None, etag: None, read: 0, bad: 0, skipped: 0, outcome: Outcome::Read, reason: None, byte: None }
    }

    /// It is bad.
    pub(crate) fn bad(self, error: &Error) -> Self {
        Self { outcome: Outcome::Bad, reason: Some(error.kind().name()), byte: error.location().byte, ..self }
    }

    /// It was skipped.
    pub(crate) fn skipped(self, reason: Skip) -> Self {
        Self { outcome: Outcome::Skipped, reason: Some(reason.name()), ..self }
    }
}
