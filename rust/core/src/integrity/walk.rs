//! The state of the walk through a place, and the report of its settled digests.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::{DAY, HOUR, day, iso};
use crate::digest::Provenance;
use crate::source::path_text;

use super::archive::{Dirs, Place};
use super::chain::{Chain, Settled};
use super::check::Task;
use super::cover::Cover;
use super::days::Days;
use super::finding::{DigestRow, Finding, Reason, Span, State, Status};
use super::missing::Missing;
use super::node::{ChainId, Node, Problem};
use super::output::Output;
use super::plan::Job;
use super::saved::Named;
use super::unlisted::Unlisted;

/// The walk through a place.
pub(super) struct Walk {
    pub(super) place: Place,
    /// Folders of digests up to the start of the range, oldest first, until they are searched for chains.
    pub(super) before: Option<Vec<(u32, PathBuf)>>,
    /// Folders of digests that were not read yet, oldest first.
    pub(super) days: VecDeque<(u32, PathBuf)>,
    /// Digest files outside of the folders of days.
    pub(super) odd: Vec<PathBuf>,
    /// Digest files that were not read yet, oldest first.
    pub(super) ahead: VecDeque<(ChainId, Node)>,
    pub(super) chains: BTreeMap<ChainId, Chain>,
    /// Log files that were not read yet.
    pub(super) logs: VecDeque<Task>,
    /// The hours of the digests whose log files are being read.
    pub(super) spans: Vec<Span>,
    pub(super) unlisted: Unlisted,
    /// End of the newest digest of the standard chains.
    pub(super) newest: Option<i64>,
    pub(super) digests: u64,
    pub(super) is_settled: bool,
    pub(super) is_done: bool,
    /// What is known about the time of the chains.
    pub(super) covers: BTreeMap<ChainId, Cover>,
    /// Missing digests, by the end of the last hour: unlisted log files may belong to those hours.
    pub(super) missing: BTreeMap<i64, Missing>,
    /// Digests named by saved signatures that were not found yet.
    pub(super) named: Named,
    /// Buckets that the digests here were written to.
    pub(super) buckets: HashSet<String>,
    /// Log files that no digest lists.
    pub(super) not_listed: u64,
}

impl Walk {
    pub(super) fn new(place: Place, dirs: &Dirs, job: &Job, out: &mut Output) -> Self {
        let mut failed = |path, error| out.unreadable(path, &error, Some(&place));
        let found = Days::of(&dirs.digests, &job.archive.storage, &mut failed);
        let first = job.since.map_or(0, |since| day(since - DAY));
        let last = job.until.map_or(u32::MAX, |until| day(until.saturating_add(3 * DAY)));
        let before =
            job.since.map(|since| found.folders.iter().take_while(|(of, _)| *of <= day(since)).cloned().collect());
        let days = found.folders.into_iter().filter(|(day, _)| (first..=last).contains(day)).collect();
        let unlisted = Unlisted::new(&dirs.logs, (job.since, job.until), &job.archive.storage, &mut failed);
        let named = job.named.get(&place).cloned().unwrap_or_default();
        Self {
            place,
            before,
            days,
            odd: found.odd,
            ahead: VecDeque::new(),
            chains: BTreeMap::new(),
            logs: VecDeque::new(),
            spans: Vec::new(),
            unlisted,
            newest: None,
            digests: 0,
            is_settled: false,
            is_done: false,
            covers: BTreeMap::new(),
            missing: BTreeMap::new(),
            named,
            buckets: HashSet::new(),
            not_listed: 0,
        }
    }

    /// Reports a digest with a time in its name that no CloudTrail digest can have. It is not part of its chain, which
    /// would otherwise never end.
    pub(super) fn implausible(&mut self, id: &ChainId, time: i64, path: &Path, out: &mut Output) {
        self.digests += 1;
        out.counts.digest(Status::Invalid, id.backfill);
        let message = format!("its name tells {}: no digest of CloudTrail's ends then", iso(time));
        let file = path_text(path);
        let finding = self.place.finding(Reason::ImplausibleTime, message);
        out.findings.push(Finding {
            file: Some(file.clone()),
            trail: Some(id.trail.clone()),
            time: Some(time),
            ..finding
        });
        let reason = Some(Reason::ImplausibleTime);
        out.digests.push(DigestRow {
            file: file.into(),
            end: time,
            status: Status::Invalid,
            reason,
            ..self.place.digest_row(id)
        });
    }

    pub(super) fn take(&mut self, id: &ChainId, settled: &mut Vec<Settled>, job: &Job, out: &mut Output) {
        let place = self.place.clone();
        let finding = |reason, message, file, time| place.finding_of(id, reason, message, file, time);
        for settled in settled.drain(..) {
            match settled {
                Settled::Gap { from, to } => {
                    let message = if from < to {
                        format!(
                            "no digest covers {} to {}: the chain starts again, as after logging or validation was off",
                            iso(from),
                            iso(to)
                        )
                    } else {
                        format!(
                            "the chain starts again at {}, though the digest before it ends at {}",
                            iso(to),
                            iso(from)
                        )
                    };
                    out.findings.push(finding(Reason::Gap, message, None, to));
                    let to = job.until.map_or(to, |until| to.min(until));
                    self.covers.entry(id.clone()).or_default().gaps.add((from, to));
                    if !id.backfill && from < to {
                        out.spans.push(self.place.span(id, from, to, State::Gap));
                    }
                }
                Settled::Missing(missing) => {
                    let file = missing.file();
                    out.findings.push(finding(Reason::MissingDigest, missing.message(), file.clone(), missing.last));
                    let (start, end) = missing.hours();
                    self.covers.entry(id.clone()).or_default().missing.add((start, end));
                    if !id.backfill {
                        out.spans.push(self.place.span(id, start, end, State::Missing));
                    }
                    out.counts.missing(missing.count, id.backfill);
                    out.missing.push(self.place.missing_row(id, &missing, file));
                    self.missing.insert(end, missing);
                }
                Settled::Digest { node, status } => {
                    self.digests += 1;
                    out.counts.digest(status, id.backfill);
                    out.counts.signature(node.signature.as_ref().map_or(Provenance::None, |(_, from)| *from), status);
                    let file = path_text(&node.path);
                    for Problem { reason, message, .. } in &node.problems {
                        out.findings.push(finding(*reason, message.clone(), Some(file.clone()), node.time));
                    }
                    self.digest(id, *node, status, &file, job, out);
                }
            }
        }
    }

    /// Reports a digest, and queues its log files.
    fn digest(&mut self, id: &ChainId, node: Node, status: Status, file: &str, job: &Job, out: &mut Output) {
        let file: Arc<str> = file.into();
        let first = node.problems.first().filter(|_| status != Status::Valid);
        let (first, byte) = (first.map(|problem| problem.reason), first.and_then(|problem| problem.byte));
        let is_told = !node.is_moved() && !node.has(Reason::ImplausibleTime);
        let signature = node.signature.as_ref().map_or(Provenance::None, |(_, from)| *from);
        let (end, is_moved) = (node.end(), node.is_moved());
        let (digest, content) = node.read.unzip();
        let start = digest.as_ref().filter(|_| is_told).map(|digest| digest.start);
        let row = DigestRow {
            file: Arc::clone(&file),
            bucket: digest.as_ref().map(|digest| digest.at.bucket.clone()),
            key: digest.as_ref().map(|digest| digest.at.key.clone()),
            start,
            end,
            status,
            reason: first,
            signature,
            fingerprint: digest.as_ref().map(|digest| digest.fingerprint.clone()),
            logs: digest.as_ref().map(|digest| digest.logs.len() as u64),
            content,
            byte,
            ..self.place.digest_row(id)
        };
        if let Some(fingerprint) = row.fingerprint.as_ref().filter(|_| status == Status::Valid) {
            *out.used.entry((Arc::clone(&row.region), fingerprint.clone())).or_default() += 1;
        }
        if job.details || status != Status::Valid {
            out.digests.push(row);
        }
        if !id.backfill && !is_moved {
            self.newest = self.newest.max(Some(node.time));
        }
        if let Some(digest) = digest.as_ref().filter(|digest| !is_moved && !self.buckets.contains(&digest.at.bucket)) {
            self.buckets.insert(digest.at.bucket.clone());
        }
        let (bucket, logs) = digest.map(|digest| (digest.at.bucket, digest.logs)).unwrap_or_default();
        let state = match status {
            Status::Valid if logs.is_empty() => State::Empty,
            Status::Valid => State::Valid,
            Status::Unverified => State::Unknown,
            Status::Invalid | Status::Missing => State::Invalid,
        };
        let stretch = (start.unwrap_or(end - HOUR), end);
        if !id.backfill && !is_moved {
            let cover = self.covers.entry(id.clone()).or_default();
            if status == Status::Valid { cover.found.add(stretch) } else { cover.bad.add(stretch) }
        }
        let mut span = self.place.span(id, stretch.0, end, state);
        // Backfill digests cover the same hours again.
        (span.digests, span.logs) = (u64::from(!id.backfill), logs.len() as u64);
        let number = self.spans.len();
        for listed in logs {
            let paths = job.archive.paths(&listed.at, &bucket);
            if status == Status::Invalid {
                for path in &paths {
                    self.unlisted.list(path);
                }
                out.counts.log(Status::Unverified);
                let reason = Some(Reason::DigestInvalid);
                let path = paths.into_iter().next();
                out.logs.push(self.place.log_row(
                    listed.at,
                    path,
                    Arc::clone(&file),
                    (Status::Unverified, reason),
                    (None, None),
                ));
            } else {
                let is_proven = status == Status::Valid;
                self.logs.push_back(Task {
                    listed,
                    digest: Arc::clone(&file),
                    is_proven,
                    span: number,
                    paths,
                    checked: None,
                });
            }
        }
        self.spans.push(span);
    }

    /// Reports the hours, once their log files are read.
    pub(super) fn hand_over_spans(&mut self, out: &mut Output) {
        if self.logs.is_empty() {
            out.spans.extend(self.spans.drain(..).filter(|span| span.digests > 0));
        }
    }
}
