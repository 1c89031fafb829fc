//! What was found, and how much work it took.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::digest::{Content, Provenance};
use crate::error::Error;
use crate::ledger::{Outcome, Row};
use crate::source::key::Key;
use crate::source::path_text;

use super::archive::Place;
use super::calls::Call;
use super::cover::Cover;
use super::finding::{
    DigestRow, Finding, LogRow, MissingRow, Range, Reason, Severity, Span, Status, UnlistedRow, UsedKey,
};
use super::node::{ChainId, Node};

/// What a step found.
#[derive(Debug, Default)]
pub struct Output {
    /// Digests, if details are wanted; always those that are not valid.
    pub digests: Vec<DigestRow>,
    /// Digests that are not there.
    pub missing: Vec<MissingRow>,
    /// Log files, if details are wanted; always those that are not valid.
    pub logs: Vec<LogRow>,
    /// Log files that no digest lists.
    pub unlisted: Vec<UnlistedRow>,
    /// Files that are neither, and what could not be read or listed at all.
    pub apart: Vec<Row>,
    /// Errors and notes.
    pub findings: Vec<Finding>,
    /// The states of hours.
    pub spans: Vec<Span>,
    /// What was asked for, found and left uncovered: at the end.
    pub ranges: Vec<Range>,
    /// The keys that valid digests are signed with: at the end.
    pub keys: Vec<UsedKey>,
    /// Totals since the start.
    pub counts: Counts,
    /// Work since the start.
    pub progress: Progress,
    /// Account, region and trail of each chain that was walked.
    pub(super) seen: Vec<(Arc<str>, Arc<str>, Arc<str>)>,
    /// Trails of digests that were skipped, since others are asked for.
    pub(super) others: BTreeSet<Arc<str>>,
    /// The times of the standard chains that were walked.
    pub(super) covers: Vec<((Place, ChainId), Cover)>,
    /// Calls about trails.
    pub(super) calls: Vec<Call>,
    /// Region and fingerprint of a public key, and how many valid digests are signed with it.
    pub(super) used: BTreeMap<(Arc<str>, String), u64>,
}

/// How many files have each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Digests of the standard chains: valid, invalid, missing, unverified.
    pub digests: [u64; 4],
    /// Digests of the chains of backfill digests.
    pub backfills: [u64; 4],
    /// Log files, each as often as it is listed.
    pub logs: [u64; 4],
    /// Valid digests by the source of their signature: saved or in metadata, in their successors.
    pub vouched: [u64; 2],
    /// Log files that no digest lists: errors, notes.
    pub unlisted: [u64; 2],
    /// Findings: errors, notes.
    pub findings: [u64; 2],
}

/// How much was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Digest and log files that were read.
    pub files: u64,
    /// Their bytes as stored.
    pub stored: u64,
    /// Bytes of their text.
    pub inflated: u64,
    /// Places that are done, and how many there are.
    pub places: (u64, u64),
}

impl Counts {
    pub(super) fn add(&mut self, more: &Self) {
        let add =
            |counts: &mut [u64], more: &[u64]| counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        add(&mut self.digests, &more.digests);
        add(&mut self.backfills, &more.backfills);
        add(&mut self.logs, &more.logs);
        add(&mut self.vouched, &more.vouched);
        add(&mut self.unlisted, &more.unlisted);
        add(&mut self.findings, &more.findings);
    }

    pub(super) fn digest(&mut self, status: Status, is_backfill: bool) {
        let counts = if is_backfill { &mut self.backfills } else { &mut self.digests };
        counts[status as usize] += 1;
    }

    pub(super) fn missing(&mut self, digests: u64, is_backfill: bool) {
        let counts = if is_backfill { &mut self.backfills } else { &mut self.digests };
        counts[Status::Missing as usize] += digests;
    }

    pub(super) fn log(&mut self, status: Status) {
        self.logs[status as usize] += 1;
    }

    pub(super) fn signature(&mut self, from: Provenance, status: Status) {
        match from {
            Provenance::File | Provenance::Metadata if status == Status::Valid => self.vouched[0] += 1,
            Provenance::Successor if status == Status::Valid => self.vouched[1] += 1,
            _ => {}
        }
    }

    pub(super) fn unlisted(&mut self, severity: Severity) {
        self.unlisted[severity as usize] += 1;
    }
}

impl Progress {
    pub(super) fn digest(&mut self, node: &Node) {
        self.log(node.read.as_ref().map(|(_, content)| content));
    }

    pub(super) fn add(&mut self, more: &Self) {
        self.files += more.files;
        self.stored += more.stored;
        self.inflated += more.inflated;
        self.places.0 += more.places.0;
    }

    pub(super) fn log(&mut self, content: Option<&Content>) {
        if let Some(content) = content {
            self.files += 1;
            self.stored += content.stored;
            self.inflated += content.inflated;
        }
    }
}

impl Output {
    /// Adds the results of a part, and empties it.
    pub(super) fn take(&mut self, part: &mut Self) {
        self.digests.append(&mut part.digests);
        self.missing.append(&mut part.missing);
        self.logs.append(&mut part.logs);
        self.unlisted.append(&mut part.unlisted);
        self.apart.append(&mut part.apart);
        self.findings.append(&mut part.findings);
        self.spans.append(&mut part.spans);
        self.seen.append(&mut part.seen);
        self.others.append(&mut part.others);
        self.covers.append(&mut part.covers);
        self.calls.append(&mut part.calls);
        add_used(&mut self.used, &mut part.used);
        self.counts.add(&part.counts);
        self.progress.add(&part.progress);
        (part.counts, part.progress) = (Counts::default(), Progress::default());
    }

    pub(super) fn unreadable(&mut self, path: PathBuf, error: &Error, place: Option<&Place>) {
        self.apart.push(Row { key: path_text(&path), ..Row::failed(error) });
        self.about(Reason::Unreadable, error.to_string(), &path, place);
        drop(path);
    }

    pub(super) fn stray(&mut self, path: &Path, place: Option<&Place>) {
        let message = "a file where CloudTrail puts none of this name: a copy, or moved";
        let (key, reason) = (path_text(path), Some(Reason::Stray.name().into()));
        self.apart.push(Row { reason, ..Row::new(key, Outcome::Unverified) });
        self.about(Reason::Stray, message.to_owned(), path, place);
    }

    pub(super) fn about(&mut self, reason: Reason, message: String, path: &Path, place: Option<&Place>) {
        let file = path_text(path);
        let key = Key::parse(&file);
        let (account, region, time) = key.map(|key| (key.account.into(), key.region.into(), key.time)).map_or_else(
            || (place.map(|place| place.account.clone()), place.map(|place| place.region.clone()), None),
            |(account, region, time)| (Some(account), Some(region), Some(time)),
        );
        let severity = reason.severity();
        self.findings.push(Finding { severity, reason, message, file: Some(file), account, region, trail: None, time });
    }
}

pub(super) fn add_used(used: &mut BTreeMap<(Arc<str>, String), u64>, more: &mut BTreeMap<(Arc<str>, String), u64>) {
    for (key, count) in std::mem::take(more) {
        *used.entry(key).or_default() += count;
    }
}
