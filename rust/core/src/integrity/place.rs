//! One account in one region: all of its chains, and its log files, in windows of bounded size.

use std::path::{Path, PathBuf};

use crate::clock::{DAY, HOUR, day, is_plausible};
use crate::error::Error;
use crate::source::Storage;
use crate::source::key::Key;

use super::before;
use super::chain::Chain;
use super::check::{Checked, Worker, check_log, foreign, prove, read_digest};
use super::days::files;
use super::finding::{Reason, State, Status};
use super::node::{ChainId, Node};
use super::output::Output;
use super::plan::Job;
use super::walk::Walk;
use super::workers::each;

/// Digests that are read before their log files are.
const DIGESTS: usize = 1024;
/// Digests that are read at once.
const STEP: usize = 128;
/// Log files of the digests that are read before them.
const LOGS: usize = 32 << 10;
/// How much later a digest may list a file than the day of its folder, before its name is forgotten.
const LATE: i64 = 3 * DAY;

impl Walk {
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
            if !job.is_asked(&chain) {
                out.others.insert(chain.trail);
                continue;
            }
            if job.since.is_some_and(|since| time < since) {
                continue;
            }
            // As AWS's own tool has it: a digest of the range may end an hour after it.
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

    fn check_logs(&mut self, job: &Job, workers: &mut [Worker], slice: usize, out: &mut Output) {
        let mut tasks: Vec<_> = self.logs.drain(..self.logs.len().min(slice)).collect();
        each(workers, &mut tasks, |worker, task| task.checked = Some(check_log(worker, task, job)));
        for task in tasks {
            let Some(Checked { mut status, problem, content, path, mut calls }) = task.checked else { continue };
            out.calls.append(&mut calls);
            let at = task.listed.at;
            if path.as_ref().is_some_and(|path| self.unlisted.list(path)) {
                let message = "listed by more than one digest, or twice by one".to_owned();
                out.findings.push(self.place.log_finding(Reason::ListedTwice, message, &at, path.as_deref()));
            }
            let (mut reason, mut byte) = (None, None);
            if let Some(problem) = problem {
                (reason, byte) = (Some(problem.reason), problem.byte);
                out.findings.push(self.place.log_finding(problem.reason, problem.message, &at, path.as_deref()));
                self.spans[task.span].bad_logs += 1;
                self.spans[task.span].state = State::Invalid;
            } else {
                if let Some(message) = foreign(&at.key, &self.place) {
                    out.findings.push(self.place.log_finding(Reason::ForeignLog, message, &at, path.as_deref()));
                }
                if !task.is_proven {
                    (status, reason) = (Status::Unverified, Some(Reason::NoSignature));
                }
            }
            out.counts.log(status);
            out.progress.log(content.as_ref());
            if job.details || status != Status::Valid {
                out.logs.push(self.place.log_row(at, path, task.digest, (status, reason), (content, byte)));
            }
        }
        self.hand_over_spans(out);
    }
}
