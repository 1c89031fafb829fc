//! What is told of a file.

use std::borrow::Cow;

use crate::error::Error;
use crate::source::{Entry, Skip};

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
    pub(super) const ALL: [Self; 4] = [Self::Read, Self::Bad, Self::Skipped, Self::Pruned];

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
