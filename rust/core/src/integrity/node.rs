//! A digest file as seen from the walk along its chain.

use std::path::PathBuf;
use std::sync::Arc;

use crate::digest::{Content, Digest, Provenance};
use crate::source::key::{Key, Name as KeyName};

use super::archive::Archive;
use super::finding::Reason;

/// What distinguishes the chains of one account and region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChainId {
    pub(crate) trail: Arc<str>,
    pub(crate) home_region: Arc<str>,
    pub(crate) backfill: bool,
}

impl ChainId {
    /// The chain of a digest, by its key; `None` for other files.
    pub(crate) fn of(key: &Key) -> Option<Self> {
        let KeyName::Digest { trail, home_region, backfill } = key.name else { return None };
        Some(Self { trail: trail.into(), home_region: home_region.into(), backfill })
    }
}

/// A digest file.
pub(crate) struct Node {
    pub(crate) path: PathBuf,
    /// The time in its name, which is that of its end.
    pub(crate) time: i64,
    /// Whether it is after the range, and only read for what it says about the digest before it.
    pub(crate) is_witness: bool,
    /// `None` if it cannot be read; `problems` says why.
    pub(crate) read: Option<(Digest, Content)>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) signature: Option<(Vec<u8>, Provenance)>,
    /// Whether the signature matches, once known.
    pub(crate) proven: Option<bool>,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) reason: Reason,
    pub(crate) message: String,
    /// Where the damage lies, if that is known.
    pub(crate) byte: Option<u64>,
}

impl Problem {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), byte: None }
    }
}

impl Node {
    pub(crate) fn new(path: PathBuf, time: i64, is_witness: bool) -> Self {
        Self { path, time, is_witness, read: None, problems: Vec::new(), signature: None, proven: None }
    }

    pub(crate) fn digest(&self) -> Option<&Digest> {
        self.read.as_ref().map(|(digest, _)| digest)
    }

    /// Whether its content may be trusted, as far as is known.
    pub(crate) fn is_trusted(&self) -> bool {
        self.read.is_some()
            && self.problems.iter().all(|problem| problem.reason.is_of_the_chain())
            && self.proven != Some(false)
    }

    /// Whether it was written to another place, so that its content is not about this one.
    pub(crate) fn is_moved(&self) -> bool {
        self.has(Reason::Moved)
    }

    pub(crate) fn has(&self, reason: Reason) -> bool {
        self.problems.iter().any(|problem| problem.reason == reason)
    }

    pub(crate) fn end(&self) -> i64 {
        let is_told = !self.is_moved() && !self.has(Reason::ImplausibleTime);
        self.digest().filter(|_| is_told).map_or(self.time, |digest| digest.end)
    }

    /// Whether the next digest names this one as its predecessor.
    pub(crate) fn precedes(&self, next: &Self, archive: &Archive) -> bool {
        let previous = next.digest().and_then(|digest| digest.previous.as_ref());
        previous.is_some_and(|previous| archive.is_at(&previous.at, &self.path))
    }
}
