//! What is recorded about a file.

use std::borrow::Cow;

use crate::error::Error;
use crate::source::{Entry, Skip};

/// A file and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its path or address: the value of the column `file`. The path of a folder ends in a slash.
    pub key: String,
    /// Bytes as listed.
    pub size: Option<u64>,
    /// The `ETag` of the version that was listed, as the store gave it.
    pub etag: Option<String>,
    /// Records that became rows; a copy counts none.
    pub read: u64,
    /// Elements that are no records.
    pub bad: u64,
    /// Records that were not selected, and duplicates if those are removed.
    pub skipped: u64,
    /// How many of `bad` and `skipped` stand at the end of the text and may be the beginning of something else: a file
    /// that grows has other documents in their places.
    pub open: u64,
    /// Records that say the same as an earlier one: counted in `skipped` as well if they are removed, else in `read`.
    /// `None` if duplicates were not looked for.
    pub duplicates: Option<u64>,
    /// What became of the file.
    pub outcome: Outcome,
    /// Why it is bad, or was skipped: the name of the failure or of the reason. For an object to be copied: by what the
    /// existing file was compared with it. For a file that was verified: what is wrong with it.
    pub reason: Option<Cow<'static, str>>,
    /// Where the damage lies, if that is known.
    pub byte: Option<u64>,
    /// SHA-256 of its bytes as stored, in hexadecimal digits, if the hash was wanted and all bytes could be read. For a
    /// file that was verified: that of its text, which digests hold.
    pub sha256: Option<String>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Read to its end.
    Read,
    /// Damaged, or unreadable: the counts cover what came before the damage.
    Bad,
    /// Not read, since nothing in it is selected.
    Skipped,
    /// A folder that was not listed, since nothing in it is selected.
    Pruned,
    /// Copied, byte for byte.
    Copied,
    /// Not copied, since its copy is there.
    Present,
    /// Proven to be what was delivered.
    Valid,
    /// Proven not to be, or no file that could be.
    Invalid,
    /// Not there, though something that is there shows that it should be.
    Missing,
    /// Not proven by anything trusted.
    Unverified,
    /// There, though no digest lists it.
    Unlisted,
}

impl Outcome {
    pub(super) const ALL: [Self; 11] = [
        Self::Read,
        Self::Bad,
        Self::Skipped,
        Self::Pruned,
        Self::Copied,
        Self::Present,
        Self::Valid,
        Self::Invalid,
        Self::Missing,
        Self::Unverified,
        Self::Unlisted,
    ];

    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Bad => "bad",
            Self::Skipped => "skipped",
            Self::Pruned => "pruned",
            Self::Copied => "copied",
            Self::Present => "present",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Missing => "missing",
            Self::Unverified => "unverified",
            Self::Unlisted => "unlisted",
        }
    }

    /// Whether the records of such a file are counted. Neither copying nor verifying reads any.
    pub(super) fn counts_records(self) -> bool {
        matches!(self, Self::Read | Self::Bad | Self::Skipped | Self::Pruned)
    }

    /// The outcome with this name.
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

    /// A file that is skipped.
    #[must_use]
    pub fn passed(entry: Entry, reason: Skip) -> Self {
        Self::of(entry).skipped(reason)
    }

    /// A folder that is not listed.
    #[must_use]
    pub fn pruned(folder: String, reason: Skip) -> Self {
        Self { reason: Some(reason.name().into()), ..Self::new(folder, Outcome::Pruned) }
    }

    /// A row without records.
    #[must_use]
    pub fn new(key: String, outcome: Outcome) -> Self {
        Self {
            key,
            size: None,
            etag: None,
            read: 0,
            bad: 0,
            skipped: 0,
            open: 0,
            duplicates: None,
            outcome,
            reason: None,
            byte: None,
            sha256: None,
        }
    }

    pub(crate) fn bad(self, error: &Error) -> Self {
        Self { outcome: Outcome::Bad, reason: Some(error.kind().name().into()), byte: error.location().byte, ..self }
    }

    pub(crate) fn skipped(self, reason: Skip) -> Self {
        Self { outcome: Outcome::Skipped, reason: Some(reason.name().into()), ..self }
    }
}
