//! What a verification finds: rows, in the words of values.

use std::sync::Arc;

use crate::digest::Provenance;

pub use super::reason::{Reason, Severity};

/// How a file came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Proven to be what CloudTrail delivered.
    Valid,
    /// Proven not to be, or not to be a file at all.
    Invalid,
    /// Not there.
    Missing,
    /// Nothing that could be trusted vouches for it.
    Unverified,
}

impl Status {
    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Missing => "missing",
            Self::Unverified => "unverified",
        }
    }
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it speaks against the archive.
    pub severity: Severity,
    /// What it is.
    pub reason: Reason,
    /// The same in words.
    pub message: String,
    /// The file that it is about.
    pub file: Option<String>,
    /// Where it belongs to.
    pub account: Option<Arc<str>>,
    /// Where it belongs to.
    pub region: Option<Arc<str>>,
    /// Where it belongs to.
    pub trail: Option<Arc<str>>,
    /// The end of the digest or the time in the name of the log file, in microseconds since 1970.
    pub time: Option<i64>,
}

/// A digest file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestRow {
    /// Its path.
    pub file: Arc<str>,
    /// Its bucket and key, as it says itself or as the digest says that names it.
    pub bucket: Option<String>,
    /// See `bucket`.
    pub key: Option<String>,
    /// Account.
    pub account: Arc<str>,
    /// Region.
    pub region: Arc<str>,
    /// Name of the trail.
    pub trail: Arc<str>,
    /// Home region of the trail.
    pub home_region: Arc<str>,
    /// Whether it is of the chain of backfill digests.
    pub backfill: bool,
    /// First moment of delivery, in microseconds since 1970.
    pub start: Option<i64>,
    /// Moment of delivery to stop before; that of the name where the file tells none.
    pub end: i64,
    /// How it came out.
    pub status: Status,
    /// The first reason why it is not valid.
    pub reason: Option<Reason>,
    /// Who vouches for it.
    pub signature: Provenance,
    /// Fingerprint of its public key.
    pub fingerprint: Option<String>,
    /// How many log files it lists.
    pub logs: Option<u64>,
}

/// Digests of consecutive hours that are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRow {
    /// Account.
    pub account: Arc<str>,
    /// Region.
    pub region: Arc<str>,
    /// Name of the trail.
    pub trail: Arc<str>,
    /// Home region of the trail.
    pub home_region: Arc<str>,
    /// Whether they are of the chain of backfill digests.
    pub backfill: bool,
    /// When the first hour begins, in microseconds since 1970.
    pub start: i64,
    /// When the last hour ends.
    pub end: i64,
    /// How many digests.
    pub digests: u64,
    /// Who tells that they should be there.
    pub why: String,
    /// Where the newest would lie; its key where that is not known.
    pub file: Option<String>,
    /// Bucket and key of the newest, where they are known.
    pub bucket: Option<String>,
    /// See `bucket`.
    pub key: Option<String>,
}

/// What was asked for, found, or left uncovered of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Account.
    pub account: Arc<str>,
    /// Region.
    pub region: Arc<str>,
    /// Name of the trail.
    pub trail: Arc<str>,
    /// Home region of the trail.
    pub home_region: Arc<str>,
    /// Which of the three.
    pub what: What,
    /// In microseconds since 1970; `None` where nothing bounds what was asked for.
    pub start: Option<i64>,
    /// See `start`.
    pub end: Option<i64>,
    /// Why it is uncovered.
    pub reason: Option<Reason>,
}

/// What a [`Range`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The time that was to be covered.
    Asked,
    /// Time that valid digests cover.
    Found,
    /// Time between them, or that was asked for, that none covers.
    Uncovered,
}

impl What {
    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Found => "found",
            Self::Uncovered => "uncovered",
        }
    }
}

/// A public key, and how many valid digests are signed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedKey {
    /// Region of the digests.
    pub region: Arc<str>,
    /// MD5 of the key, in hexadecimal.
    pub fingerprint: String,
    /// How many.
    pub digests: u64,
}

/// A log file that a digest lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// Its path; where there is none, the key.
    pub file: String,
    /// As the digest names it.
    pub bucket: String,
    /// As the digest names it.
    pub key: String,
    /// Account.
    pub account: Arc<str>,
    /// Region.
    pub region: Arc<str>,
    /// Path of the digest.
    pub digest: Arc<str>,
    /// How it came out.
    pub status: Status,
    /// The first reason why it is not valid.
    pub reason: Option<Reason>,
    /// Bytes of its text, when it was read.
    pub bytes: Option<u64>,
}

/// A log file that no digest lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlistedRow {
    /// Its path.
    pub file: String,
    /// Account, where its place tells it.
    pub account: Option<Arc<str>>,
    /// Region.
    pub region: Option<Arc<str>>,
    /// Such as `CloudTrail-Insight`.
    pub kind: Option<String>,
    /// The time in its name, in microseconds since 1970.
    pub time: Option<i64>,
    /// Whether that speaks against the archive.
    pub severity: Severity,
    /// The digest of its hour, where that is one of those that are missing.
    pub missing: Option<String>,
}

/// What is known about some hours of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Account.
    pub account: Arc<str>,
    /// Region.
    pub region: Arc<str>,
    /// Name of the trail.
    pub trail: Arc<str>,
    /// In microseconds since 1970.
    pub start: i64,
    /// In microseconds since 1970.
    pub end: i64,
    /// `valid`, `empty`, `gap`, `missing`, `invalid` or `unknown`.
    pub state: State,
    /// Digests; consecutive empty ones share a span.
    pub digests: u64,
    /// Log files that they list.
    pub logs: u64,
    /// Log files that are not valid.
    pub bad_logs: u64,
}

/// The state of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Digest and log files are valid.
    Valid,
    /// A valid digest says that there were no log files.
    Empty,
    /// The next digest starts the chain again.
    Gap,
    /// The digest is missing.
    Missing,
    /// The digest, or a log file, is invalid or missing.
    Invalid,
    /// The digest could not be checked.
    Unknown,
}

impl State {
    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Empty => "empty",
            Self::Gap => "gap",
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }
}
