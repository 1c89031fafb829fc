//! One account in one region: all of its chains, and its log files, in windows of bounded size.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::source::key::Key;
use crate::source::path_text;

use super::archive::{Days, Dirs, Place, files};
use super::before;
use super::chain::{Chain, ChainId, Node, Problem, Settled};
use super::check::{Checked, Task, Worker, check_log, foreign, prove, read_digest};
use super::clock::{DAY, HOUR, day, is_plausible, iso};
use super::cover::Cover;
use super::digest::Name;
use super::finding::{DigestRow, Finding, LogRow, MissingRow, Reason, Span, State, Status};
use super::missing::Missing;
use super::saved::Named;
use super::signature::Provenance;
use super::storage::Storage;
use super::unlisted::Unlisted;
use super::{Job, Output, each};

/// Digests that are read before their log files are.
const DIGESTS: usize = 1024;
/// Digests that are read at once.
const STEP: usize = 128;
/// Log files of the digests that are read before them.
const LOGS: usize = 32 << 10;
/// How much later a digest may list a file than the day of its folder, before its name is forgotten.
const LATE: i64 = 3 * DAY;

/// The walk through a place.
pub(super) struct Walk {
    pub(super) place: Place,
    /// Folders of digests up to the begin of the range, oldest first, until they are looked through for chains.
    before: Option<Vec<(u32, PathBuf)>>,
    /// Folders of digests that were not looked through, oldest first.
    days: VecDeque<(u32, PathBuf)>,
    /// Digest files that lie in no day's folder.
    odd: Vec<PathBuf>,
    /// Digest files that were not read, oldest first.
    ahead: VecDeque<(ChainId, Node)>,
    pub(super) chains: BTreeMap<ChainId, Chain>,
    /// Log files that were not read.
    logs: VecDeque<Task>,
    /// The hours of the digests whose log files are read now.
    spans: Vec<Span>,
    pub(super) unlisted: Unlisted,
    /// End of the newest digest of the standard chains.
    pub(super) newest: Option<i64>,
    pub(super) digests: u64,
    is_settled: bool,
    is_done: bool,
    /// What is known of the time of the chains.
    pub(super) covers: BTreeMap<ChainId, Cover>,
    /// Digests that are missing, by the end of the last hour: log files that none lists may be of those hours.
    pub(super) missing: BTreeMap<i64, Missing>,
    /// Digests that saved signatures name, and that have not been seen.
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
        let before = job.since.map(|since| found.folders.iter().take_while(|(of, _)| *of <= day(since)).cloned().collect());
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

    /// Goes on; `false` when all is done.
    pub(super) fn step(&mut self, job: &Job, workers: &mut [Worker], slice: usize, out: &mut Output) -> bool {
        if !self.logs.is_empty() {
            self.check_logs(job, workers, slice, out);
            return true;
        }
        if let (Some(since), Some(days)) = (job.since, self.before.take()) {
            self.look_back(since, &days, job, workers, out);
        }
        if !self.is_settled {
            self.read_digests(job, workers, out);
            return true;
        }
        self.is_done = !self.finish(job, out);
        !self.is_done
    }

    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Finds the standard chains that were there before the range. Backfill digests are not written every hour.
    fn look_back(&mut self, since: i64, days: &[(u32, PathBuf)], job: &Job, workers: &mut [Worker], out: &mut Output) {
        // What the walk will list itself, it tells of itself.
        let is_ahead = |path: &Path| self.days.iter().any(|(_, folder)| path.starts_with(folder));
        let mut failed = |path: PathBuf, error| {
            if !is_ahead(&path) {
                out.unreadable(path, &error, Some(&self.place));
            }
        };
        let chains = before::chains(days, &self.odd, (since, job.now), &job.archive.storage, &mut failed);
        for (id, newest) in chains.into_iter().filter(|(id, _)| !id.backfill && job.is_asked(id)) {
            let mut read = newest.into_iter().rev().map(|(time, path)| {
                let mut node = Node::new(path, time, false);
                read_digest(&mut workers[0], &mut node, &id, &self.place, job);
                node
            });
            let last = read.find(|node| !node.is_moved());
            self.covers.entry(id.clone()).or_default().is_continued |= last.is_some();
            self.chains.extend(last.map(|last| (id.clone(), Chain::after(last, &id))));
        }
    }

    /// The digest files of the next day, of all folders.
    fn next_day(&mut self, storage: &Storage, out: &mut Output) -> Vec<PathBuf> {
        let next = self.days.front().map(|(day, _)| *day);
        let is_due = |path: &mut PathBuf| {
            next.is_none_or(|next| Key::parse(&path.to_string_lossy()).is_none_or(|key| day(key.time) <= next))
        };
        let mut found: Vec<_> = self.odd.extract_if(.., is_due).collect();
        while self.days.front().is_some_and(|(day, _)| Some(*day) == next)
            && let Some((_, folder)) = self.days.pop_front()
        {
            found.extend(files(&folder, storage, &mut |path, error| out.unreadable(path, &error, Some(&self.place))));
        }
        found
    }

    /// Puts digest files in the queue, oldest first; other files are told.
    fn queue(&mut self, files: Vec<PathBuf>, job: &Job, out: &mut Output) {
        let mut found = Vec::new();
        for path in files {
            let text = path.to_string_lossy();
            let key = Key::parse(&text);
            let Some((time, chain)) = key.as_ref().and_then(|key| Some((key.time, ChainId::of(key)?))) else {
                out.stray(&path, Some(&self.place));
                continue;
            };
            if let Some(named) = self.named.get_mut(&chain) {
                named.remove(&time);
            }
            if !is_plausible(time, job.now) {
                if job.is_asked(&chain) {
                    self.implausible(&chain, time, &path, out);
                }
                continue;
            }
            if !job.is_asked(&chain) || job.since.is_some_and(|since| time < since) {
                continue;
            }
            // As AWS's own tool has it: a digest of the range may end an hour behind it.
            let is_witness = job.until.is_some_and(|until| time > until.saturating_add(HOUR));
            let known = self.chains.get(&chain);
            let has_witness = known.is_some_and(|chain| chain.ahead.back().is_some_and(|node| node.is_witness));
            if !(is_witness && has_witness) {
                found.push((time, chain, Node::new(path.clone(), time, is_witness)));
            }
        }
        found.sort_by(|one, other| (one.0, &one.2.path).cmp(&(other.0, &other.2.path)));
        self.ahead.extend(found.into_iter().map(|(_, chain, node)| (chain, node)));
    }

    /// Tells of a digest whose name has a time that none of CloudTrail's has. It is no part of its chain, which would not end else.
    fn implausible(&mut self, id: &ChainId, time: i64, path: &Path, out: &mut Output) {
        self.digests += 1;
        out.counts.digest(Status::Invalid, id.backfill);
        let message = format!("its name tells {}: no digest of CloudTrail's ends then", iso(time));
        let file = path_text(path);
        let finding = self.place_finding(Reason::ImplausibleTime, message);
        out.findings.push(Finding { file: Some(file.clone()), trail: Some(id.trail.clone()), time: Some(time), ..finding });
        let reason = Some(Reason::ImplausibleTime);
        out.digests.push(DigestRow { file: file.into(), end: time, status: Status::Invalid, reason, ..self.row(id) });
    }

    fn read_digests(&mut self, job: &Job, workers: &mut [Worker], out: &mut Output) {
        self.pass_days(&job.archive.storage, out);
        let (mut digests, mut logs) = (0, 0);
        while digests < DIGESTS && logs < LOGS {
            while self.ahead.len() < STEP && !(self.days.is_empty() && self.odd.is_empty()) {
                let found = self.next_day(&job.archive.storage, out);
                self.queue(found, job, out);
            }
            let mut step: Vec<_> = self.ahead.drain(..self.ahead.len().min(STEP)).collect();
            if step.is_empty() {
                break;
            }
            let place = &self.place;
            each(workers, &mut step, |worker, (chain, node)| read_digest(worker, node, chain, place, job));
            digests += step.len();
            for (chain, node) in step {
                logs += node.digest().map_or(0, |digest| digest.logs.len());
                out.progress.digest(&node);
                let chain = self.chains.entry(chain).or_insert_with_key(Chain::new);
                if !(node.is_witness && chain.ahead.back().is_some_and(|last| last.is_witness)) {
                    chain.push(node, &job.archive);
                }
            }
        }
        let is_end = self.ahead.is_empty() && self.days.is_empty() && self.odd.is_empty();
        self.settle(is_end, job, workers, out);
    }

    /// Settles what can be settled by now.
    fn settle(&mut self, is_end: bool, job: &Job, workers: &mut [Worker], out: &mut Output) {
        for chain in self.chains.values_mut() {
            chain.pass_signatures(&job.archive);
        }
        let mut nodes: Vec<_> = self.chains.values_mut().flat_map(|chain| chain.ahead.iter_mut()).collect();
        nodes.retain(|node| node.proven.is_none() && node.signature.is_some() && node.read.is_some());
        let region = &*self.place.region;
        each(workers, &mut nodes, |_, node| node.proven = prove(node, region, job));
        let mut chains = std::mem::take(&mut self.chains);
        let mut settled = Vec::new();
        for (id, chain) in &mut chains {
            while chain.settle(is_end, job.since, &job.archive, &mut settled) {}
            self.take(id, &mut settled, job, out);
        }
        self.chains = chains;
        self.is_settled = is_end;
        self.hand_over_spans(out);
    }

    /// Looks for log files of the days that no digest to come will list files of.
    fn pass_days(&mut self, storage: &Storage, out: &mut Output) {
        let next = self.ahead.front().map(|(_, node)| node.time);
        let held = self.chains.values().filter_map(|chain| chain.ahead.front()).map(|node| node.time);
        if let Some(time) = held.chain(next).min() {
            let mut failed = |path, error: Error| out.unreadable(path, &error, Some(&self.place));
            self.unlisted.pass(day(time - LATE), storage, &mut failed);
        }
    }

    pub(super) fn take(&mut self, id: &ChainId, settled: &mut Vec<Settled>, job: &Job, out: &mut Output) {
        let finding = |reason: Reason, message: String, file: Option<String>, time: i64, place: &Place| Finding {
            severity: reason.severity(),
            reason,
            message,
            file,
            account: Some(place.account.clone()),
            region: Some(place.region.clone()),
            trail: Some(id.trail.clone()),
            time: Some(time),
        };
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
                        format!("the chain starts again at {}, though the digest before it ends at {}", iso(to), iso(from))
                    };
                    out.findings.push(finding(Reason::Gap, message, None, to, &self.place));
                    let to = job.until.map_or(to, |until| to.min(until));
                    self.covers.entry(id.clone()).or_default().gaps.add((from, to));
                    if !id.backfill && from < to {
                        out.spans.push(self.span(id, from, to, State::Gap));
                    }
                }
                Settled::Missing(missing) => {
                    let file = missing.file();
                    out.findings.push(finding(Reason::MissingDigest, missing.message(), file.clone(), missing.last, &self.place));
                    let (start, end) = missing.hours();
                    self.covers.entry(id.clone()).or_default().missing.add((start, end));
                    if !id.backfill {
                        out.spans.push(self.span(id, start, end, State::Missing));
                    }
                    out.counts.missing(missing.count, id.backfill);
                    out.missing.push(self.missing_row(id, &missing, file));
                    self.missing.insert(end, missing);
                }
                Settled::Digest { node, status } => {
                    self.digests += 1;
                    out.counts.digest(status, id.backfill);
                    out.counts.signature(node.signature.as_ref().map_or(Provenance::None, |(_, from)| *from), status);
                    let file = path_text(&node.path);
                    for Problem { reason, message } in &node.problems {
                        out.findings.push(finding(*reason, message.clone(), Some(file.clone()), node.time, &self.place));
                    }
                    self.digest(id, *node, status, &file, job, out);
                }
            }
        }
    }

    /// Tells of a digest, and puts its log files in the queue.
    fn digest(&mut self, id: &ChainId, node: Node, status: Status, file: &str, job: &Job, out: &mut Output) {
        let file: Arc<str> = file.into();
        let first = node.problems.first().map(|problem| problem.reason).filter(|_| status != Status::Valid);
        let is_told = !node.is_moved() && !node.has(Reason::ImplausibleTime);
        let signature = node.signature.as_ref().map_or(Provenance::None, |(_, from)| *from);
        let (end, is_moved) = (node.end(), node.is_moved());
        let digest = node.read.map(|(digest, _)| digest);
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
            ..self.row(id)
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
        let mut span = self.span(id, stretch.0, end, state);
        // Backfill digests are about the same hours again.
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
                out.logs.push(self.log_row(listed.at, path, Arc::clone(&file), (Status::Unverified, reason), None));
            } else {
                let is_proven = status == Status::Valid;
                self.logs.push_back(Task { listed, digest: Arc::clone(&file), is_proven, span: number, paths, checked: None });
            }
        }
        self.spans.push(span);
    }

    fn check_logs(&mut self, job: &Job, workers: &mut [Worker], slice: usize, out: &mut Output) {
        let mut tasks: Vec<_> = self.logs.drain(..self.logs.len().min(slice)).collect();
        each(workers, &mut tasks, |worker, task| task.checked = Some(check_log(worker, task, job)));
        for task in tasks {
            let Some(Checked { mut status, problem, content, path, mut calls }) = task.checked else { continue };
            out.calls.append(&mut calls);
            let at = task.listed.at;
            if path.as_ref().is_some_and(|path| self.unlisted.list(path)) {
                let message = "listed by more than one digest, or twice by one".to_owned();
                out.findings.push(self.log_finding(Reason::ListedTwice, message, &at, path.as_deref()));
            }
            let mut reason = None;
            if let Some(problem) = problem {
                reason = Some(problem.reason);
                out.findings.push(self.log_finding(problem.reason, problem.message, &at, path.as_deref()));
                self.spans[task.span].bad_logs += 1;
                self.spans[task.span].state = State::Invalid;
            } else {
                if let Some(message) = foreign(&at.key, &self.place) {
                    out.findings.push(self.log_finding(Reason::ForeignLog, message, &at, path.as_deref()));
                }
                if !task.is_proven {
                    (status, reason) = (Status::Unverified, Some(Reason::NoSignature));
                }
            }
            out.counts.log(status);
            out.progress.log(content.as_ref());
            if job.details || status != Status::Valid {
                let bytes = content.map(|content| content.inflated);
                out.logs.push(self.log_row(at, path, task.digest, (status, reason), bytes));
            }
        }
        self.hand_over_spans(out);
    }

    fn log_row(
        &self,
        at: Name,
        path: Option<PathBuf>,
        digest: Arc<str>,
        (status, reason): (Status, Option<Reason>),
        bytes: Option<u64>,
    ) -> LogRow {
        LogRow {
            file: path.map_or_else(|| at.key.clone(), |path| path_text(&path)),
            bucket: at.bucket,
            key: at.key,
            account: Arc::clone(&self.place.account),
            region: Arc::clone(&self.place.region),
            digest,
            status,
            reason,
            bytes,
        }
    }

    fn log_finding(&self, reason: Reason, message: String, at: &Name, path: Option<&Path>) -> Finding {
        let file = Some(path.map_or_else(|| at.key.clone(), path_text));
        let time = Key::parse(&at.key).map(|key| key.time);
        Finding { file, time, ..self.place_finding(reason, message) }
    }

    /// Tells of the hours, once their log files are read.
    fn hand_over_spans(&mut self, out: &mut Output) {
        if self.logs.is_empty() {
            out.spans.extend(self.spans.drain(..).filter(|span| span.digests > 0));
        }
    }

    fn missing_row(&self, id: &ChainId, missing: &Missing, file: Option<String>) -> MissingRow {
        let Place { account, region, .. } = self.place.clone();
        let (start, end) = missing.hours();
        let (bucket, key) = missing.at.clone().map(|Name { bucket, key }| (bucket, key)).unzip();
        MissingRow {
            account,
            region,
            trail: id.trail.clone(),
            home_region: id.home_region.clone(),
            backfill: id.backfill,
            start,
            end,
            digests: missing.count,
            why: missing.why.clone(),
            file,
            bucket,
            key,
        }
    }

    fn span(&self, id: &ChainId, start: i64, end: i64, state: State) -> Span {
        let Place { account, region, .. } = self.place.clone();
        Span { account, region, trail: id.trail.clone(), start, end, state, digests: 0, logs: 0, bad_logs: 0 }
    }

    /// A row without what is the digest's own.
    fn row(&self, id: &ChainId) -> DigestRow {
        let Place { account, region, .. } = self.place.clone();
        DigestRow {
            file: "".into(),
            bucket: None,
            key: None,
            account,
            region,
            trail: id.trail.clone(),
            home_region: id.home_region.clone(),
            backfill: id.backfill,
            start: None,
            end: 0,
            status: Status::Unverified,
            reason: None,
            signature: Provenance::None,
            fingerprint: None,
            logs: None,
        }
    }
}
