//! One chain of digests, walked from the oldest to the newest.
//!
//! Each digest proves the one before it, by hash and by signature. So a digest is settled when the next one is known
//! and, because a signature that does not match may be the fault of the digest that carries it, the one after that. No
//! more than these are held, however long the chain is.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;

use crate::clock::{HOUR, iso};
use crate::digest::{Name, Provenance};
use crate::hash::{hex, unhex};
use crate::source::key::{Key, Name as KeyName};

use super::archive::Archive;
use super::finding::{Reason, Status};
use super::missing::{Like, Missing, sibling};
use super::node::{ChainId, Node, Problem};

/// What the walk along a chain returns, in order.
pub(crate) enum Settled {
    Digest { node: Box<Node>, status: Status },
    Missing(Missing),
    Gap { from: i64, to: i64 },
}

/// The walk along one chain.
#[derive(Default)]
pub(crate) struct Chain {
    /// Backfill digests are written when they are needed, not every hour.
    is_backfill: bool,
    /// Read, but not settled.
    pub(crate) ahead: VecDeque<Node>,
    /// Moved here from another place: not part of the chain.
    aside: Vec<Node>,
    /// The times in their names, and in the names of all others that were moved here, until the walk passes them.
    moved: BTreeSet<i64>,
    /// The last digest that was settled.
    pub(crate) last: Option<Last>,
}

/// What is kept of a settled digest.
pub(crate) struct Last {
    path: PathBuf,
    pub(crate) time: i64,
    end: i64,
    /// Its own name, or the best guess.
    name: Option<Name>,
}

/// How many digests must be known after one before it is settled.
const LOOKAHEAD: usize = 2;

impl Chain {
    pub(crate) fn new(id: &ChainId) -> Self {
        Self { is_backfill: id.backfill, ..Self::default() }
    }

    /// A chain that existed before the range, up to this digest, which is not judged.
    pub(crate) fn after(before: Node, id: &ChainId) -> Self {
        let name = before.digest().filter(|_| !before.is_moved()).map(|digest| digest.at.clone());
        Self { last: Some(Last { time: before.time, end: before.time, name, path: before.path }), ..Self::new(id) }
    }

    /// Adds the next digest. One that was moved here counts only if the next one names this place.
    pub(crate) fn push(&mut self, node: Node, archive: &Archive) {
        if node.is_moved() {
            self.moved.insert(node.time);
        }
        while self
            .ahead
            .back()
            .is_some_and(|last| last.is_moved() && (node.is_moved() || !last.precedes(&node, archive)))
        {
            self.aside.extend(self.ahead.pop_back());
        }
        self.ahead.push_back(node);
    }

    /// Gives signatures to digests without one: each digest holds that of the one before it.
    pub(crate) fn pass_signatures(&mut self, archive: &Archive) {
        let nodes = self.ahead.make_contiguous();
        for at in 1..nodes.len() {
            let (before, from) = nodes.split_at_mut(at);
            let (node, next) = (&mut before[at - 1], &from[0]);
            if node.signature.is_none() && node.precedes(next, archive) {
                let held =
                    next.digest().and_then(|digest| digest.previous.as_ref()).map(|previous| &previous.signature);
                // A signature that is not hexadecimal does not match.
                node.signature = held.map(|held| (unhex(held).unwrap_or_default(), Provenance::Successor));
            }
        }
    }

    /// Settles the oldest digest, if enough is known or nothing more will be.
    pub(crate) fn settle(
        &mut self,
        is_end: bool,
        since: Option<i64>,
        archive: &Archive,
        out: &mut Vec<Settled>,
    ) -> bool {
        out.extend(self.aside.drain(..).map(|node| Settled::Digest { node: Box::new(node), status: Status::Invalid }));
        if self.ahead.len() <= LOOKAHEAD && !is_end {
            return false;
        }
        if self.ahead.front().is_none_or(|node| node.is_witness) {
            return false;
        }
        let Some(mut node) = self.ahead.pop_front() else { return false };
        let next = self.ahead.front().filter(|next| node.precedes(next, archive));
        let counts = !node.is_moved() || next.is_some();
        if counts {
            self.link(&mut node, since, archive, out);
        }
        let status = if node.is_moved() { Status::Invalid } else { judge(&mut node, next) };
        if counts {
            let own = node.digest().filter(|_| !node.is_moved()).map(|digest| digest.at.clone());
            let name = own.or_else(|| self.last.as_ref().and_then(|last| sibling(last.name.as_ref()?, node.time)));
            self.last = Some(Last { path: node.path.clone(), time: node.time, end: node.end(), name });
            self.moved = self.moved.split_off(&node.time);
        }
        out.push(Settled::Digest { node: Box::new(node), status });
        true
    }

    /// Compares a digest with what the next one says about it.
    fn link(&self, node: &mut Node, since: Option<i64>, archive: &Archive, out: &mut Vec<Settled>) {
        let last = self.last.as_ref();
        let in_range = |time| since.is_none_or(|since| time >= since);
        let trusted = node.is_trusted();
        // As far back as the hours before a digest are known. Before the oldest, nothing says how many there should be.
        let known_to = last.map(|last| last.end).filter(|_| !self.is_backfill);
        let Some(digest) = node.digest().filter(|_| trusted) else {
            if let Some(from) = known_to {
                let like = Like { name: last.and_then(|last| last.name.as_ref()), path: &node.path };
                out.extend(
                    self.missing_between((from, node.time), like, since, archive).into_iter().map(Settled::Missing),
                );
            }
            return;
        };
        let Some(previous) = &digest.previous else {
            if since.is_none_or(|since| digest.start > since) {
                out.extend(self.gap_to(digest.start, since));
            }
            return;
        };
        let mut problems = Vec::new();
        if previous.algorithm != "SHA-256" {
            problems.push(Problem::new(
                Reason::HashAlgorithm,
                format!("the hash of the previous digest is {:?}, not SHA-256", previous.algorithm),
            ));
        }
        let time =
            Key::parse(&previous.at.key).filter(|key| matches!(key.name, KeyName::Digest { .. })).map(|key| key.time);
        let pointed = format!("{}/{}", previous.at.bucket, previous.at.key);
        if let Some(last) = last.filter(|last| archive.is_at(&previous.at, &last.path)) {
            if last.end != digest.start && !self.is_backfill {
                let message =
                    format!("starts at {}, but the digest before it ends at {}", iso(digest.start), iso(last.end));
                problems.push(Problem::new(Reason::Discontinuity, message));
            }
        } else if time.is_some_and(|time| time >= node.time) {
            problems.push(Problem::new(Reason::Order, format!("names a later digest as the previous one: {pointed}")));
        } else {
            let skipped = last.filter(|last| time.is_some_and(|time| time <= last.time));
            if let Some(last) = skipped {
                let message = format!(
                    "names {pointed} as the previous digest, which is not the one before it, {}",
                    last.path.display()
                );
                problems.push(Problem::new(Reason::Fork, message));
            }
            let path = archive.find(&previous.at);
            let exists = path.as_ref().is_some_and(|path| archive.storage.has_file(path));
            if exists && time.is_none() {
                problems
                    .push(Problem::new(Reason::Fork, format!("names {pointed} as the previous digest, which is none")));
            }
            if !exists && time.is_none_or(in_range) {
                let time = time.unwrap_or(digest.start);
                let like = Like { name: Some(&previous.at), path: &node.path };
                let from = known_to.filter(|_| skipped.is_none());
                let mut missing =
                    from.map_or_else(Vec::new, |from| self.missing_between((from, time), like, since, archive));
                let why = "the next one names it";
                let at = Some(previous.at.clone());
                match missing.last_mut().filter(|before| (time - before.last - HOUR).abs() < HOUR / 2) {
                    Some(before) => {
                        let why = "the next digest names the newest of them".to_owned();
                        let (first, count) = (before.first, before.count + 1);
                        *before = Missing { first, last: time, count, at, path, why };
                    }
                    None => missing.push(Missing { first: time, last: time, count: 1, at, path, why: why.to_owned() }),
                }
                out.extend(missing.into_iter().map(Settled::Missing));
            }
        }
        node.problems.append(&mut problems);
    }

    /// The time without log files before a starting digest. How long before the range it began is not known for
    /// certain.
    fn gap_to(&self, to: i64, since: Option<i64>) -> Option<Settled> {
        self.last.as_ref().map(|last| Settled::Gap { from: last.end.max(since.unwrap_or(i64::MIN)), to })
    }

    /// Reports the digests that should follow the newest one, up to a time. If the first one after the range starts the
    /// chain again, the range ends in a gap.
    pub(crate) fn missing_after(
        &self,
        until: i64,
        since: Option<i64>,
        why: &str,
        archive: &Archive,
        out: &mut Vec<Settled>,
    ) {
        let Some(last) = &self.last else { return };
        let from = from_range(last.time, since);
        let witness = self.ahead.front().filter(|witness| witness.proven == Some(true) && witness.is_trusted());
        if until.saturating_sub(from) >= HOUR
            && let Some(digest) = witness.and_then(Node::digest).filter(|digest| digest.previous.is_none())
        {
            return out.extend(self.gap_to(digest.start, since));
        }
        let like = Like { name: last.name.as_ref(), path: &last.path };
        let missing = like.missing(from, until.saturating_sub(from) / HOUR, &self.moved, why, archive);
        out.extend(missing.into_iter().map(Settled::Missing));
    }

    /// The digests missing between two ends, within the range.
    fn missing_between(
        &self,
        (from, to): (i64, i64),
        like: Like,
        since: Option<i64>,
        archive: &Archive,
    ) -> Vec<Missing> {
        let from = from_range(from, since);
        like.missing(from, (to - from + HOUR / 2) / HOUR - 1, &self.moved, "", archive)
    }
}

/// Whether a digest is valid, by itself and by what the next one says.
fn judge(node: &mut Node, next: Option<&Node>) -> Status {
    let previous = next.filter(|next| next.is_trusted()).and_then(|next| next.digest()?.previous.as_ref());
    if let (Some(previous), Some((_, content))) = (previous, &node.read) {
        let hash = hex(&content.sha256);
        if previous.hash != hash {
            node.problems.push(Problem::new(
                Reason::PreviousHash,
                format!("its hash is {hash}, but the next digest has {}", previous.hash),
            ));
        }
        if let Some((signature, Provenance::File | Provenance::Metadata)) = &node.signature
            && unhex(&previous.signature).as_ref() != Some(signature)
        {
            node.problems
                .push(Problem::new(Reason::PreviousSignature, "the next digest holds another signature of it"));
        }
    }
    if node.problems.iter().any(|problem| !problem.reason.is_of_the_chain()) {
        return Status::Invalid;
    }
    match (node.proven, &node.signature) {
        (Some(true), _) => Status::Valid,
        (Some(false), Some((_, Provenance::Successor))) if next.is_none_or(|next| !next.is_trusted()) => {
            let message = "nothing vouches for it: the signature that the next digest holds does not match, but that \
                           digest is not valid either";
            node.problems.push(Problem::new(Reason::NoSignature, message));
            Status::Unverified
        }
        (Some(false), _) => {
            node.problems.push(Problem::new(Reason::Signature, "signature verification failed"));
            Status::Invalid
        }
        (None, _) => {
            let message = "nothing vouches for it: no signature was saved, and no later digest holds one";
            node.problems.push(Problem::new(Reason::NoSignature, message));
            Status::Unverified
        }
    }
}

/// The end of a chain's last hour entirely before the range, if the chain is known up to an earlier hour.
fn from_range(end: i64, since: Option<i64>) -> i64 {
    since.map_or(end, |since| end + since.saturating_sub(end).max(0) / HOUR * HOUR)
}

#[cfg(test)]
mod tests;
