//! What a verification finds, as rows.

use std::sync::Arc;

use crate::digest::{Content, Provenance};

pub use super::reason::{Reason, Severity};

/// The status of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Proven to be what CloudTrail delivered.
    Valid,
    /// Proven not to be, or not to be a file at all.
    Invalid,
    /// Missing.
    Missing,
    /// Not proven by anything trusted.
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
    /// Whether it counts against the archive.
    pub severity: Severity,
    /// What it is.
    pub reason: Reason,
    /// The message.
    pub message: String,
    /// The file.
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
    /// Its bucket and key, as it says itself or as the next digest says.
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
    /// Moment of delivery to stop before; the time in the name if the file states none.
    pub end: i64,
    /// Its status.
    pub status: Status,
    /// The first reason why it is not valid.
    pub reason: Option<Reason>,
    /// Where its signature comes from.
    pub signature: Provenance,
    /// Fingerprint of its public key.
    pub fingerprint: Option<String>,
    /// How many log files it lists.
    pub logs: Option<u64>,
    /// What it contains, if it is a digest.
    pub content: Option<Content>,
    /// Where its damage lies, if that is known.
    pub byte: Option<u64>,
}

/// Missing digests of consecutive hours.
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
    /// What shows that they should exist.
    pub why: String,
    /// Where the newest would be; its key if that is not known.
    pub file: Option<String>,
    /// Bucket and key of the newest, if known.
    pub bucket: Option<String>,
    /// See `bucket`.
    pub key: Option<String>,
}

/// Time of a chain that was asked for, found, or left uncovered.
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
    /// In microseconds since 1970; `None` if what was asked for has no bound.
    pub start: Option<i64>,
    /// See `start`.
    pub end: Option<i64>,
    /// Why it is uncovered.
    pub reason: Option<Reason>,
}

/// What a [`Range`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The time that should be covered.
    Asked,
    /// Time covered by valid digests.
    Found,
    /// Time between them, or asked for, that is not covered.
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
    /// Its path, or its key if there is none.
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
    /// Its status.
    pub status: Status,
    /// The first reason why it is not valid.
    pub reason: Option<Reason>,
    /// What it contains, if it could be read.
    pub content: Option<Content>,
    /// Where its damage lies, if that is known.
    pub byte: Option<u64>,
}

/// A log file that no digest lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlistedRow {
    /// Its path.
    pub file: String,
    /// Account, if its path shows it.
    pub account: Option<Arc<str>>,
    /// Region.
    pub region: Option<Arc<str>>,
    /// Such as `CloudTrail-Insight`.
    pub kind: Option<String>,
    /// The time in its name, in microseconds since 1970.
    pub time: Option<i64>,
    /// Whether a digest to come may list it.
    pub reason: Reason,
    /// Whether it counts against the archive.
    pub severity: Severity,
    /// The digest of its hour, if that is missing.
    pub missing: Option<String>,
}

/// The state of some hours of a chain.
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
