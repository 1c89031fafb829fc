//! Proves that an archive is complete and unaltered, by the digest files that CloudTrail signs.
//!
//! [`Verify`] walks through the places of an archive (account × region), and in each through its chains of digests, from the oldest
//! to the newest. [`Verify::step`] does a bounded part of the work and returns what it found, as values: it neither prints nor fails.
//! Flow: `archive` (what lies where) → `digest`, `hash` (bytes to values) → `signature` → `check` (one file alone) → `chain`
//! (order, links, verdicts) → `place` (windows, log files; `before` the range, at the `end` of it) → here.

mod archive;
mod before;
mod calls;
mod chain;
mod check;
mod clock;
mod cover;
mod digest;
mod end;
mod finding;
mod hash;
mod missing;
mod place;
mod rows;
mod saved;
mod signature;
mod storage;
mod stretches;
#[cfg(any(test, feature = "fuzzing"))]
mod times;
mod unlisted;

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use archive::{Places, Root};
pub use finding::{
    DigestRow, Finding, LogRow, MissingRow, Range, Reason, Severity, Span, State, Status, UnlistedRow, UsedKey, What,
};
pub(crate) use hash::Running;
pub use hash::{Content, Hashes, Sha256, hex, unhex};
pub use signature::{Keys, Provenance, PublicKey, Saved, Signatures};
#[cfg(any(test, feature = "fuzzing"))]
pub use times::walk_of_times;

use crate::error::Error;
use crate::inflate::Limits;
use crate::source::key::Key;
use crate::source::object::Remote;
use crate::source::path_text;
use archive::{Archive, Dirs, Place};
use calls::Call;
use chain::{ChainId, Node};
use check::Worker;
use cover::{Asked, Cover, Covers};
use place::Walk;
use saved::Named;
use storage::Storage;

/// What to verify, and with what.
pub struct Plan {
    /// The folders.
    pub roots: Vec<Root>,
    /// The public keys.
    pub keys: Keys,
    /// Signatures that were saved from the metadata of the digest objects.
    pub signatures: Signatures,
    /// First moment that must be covered, in microseconds since 1970.
    pub since: Option<i64>,
    /// Last moment that must be covered, in microseconds since 1970.
    pub until: Option<i64>,
    /// Accounts and regions.
    pub places: Places,
    /// Names of trails; `None` for all.
    pub trails: Option<HashSet<String>>,
    /// The time, in microseconds since 1970: what should be there by now.
    pub now: i64,
    /// What a file may inflate to.
    pub limits: Limits,
    /// Workers.
    pub threads: usize,
    /// Hashes of files that were read already.
    pub hashes: Option<Arc<Hashes>>,
    /// Whether to tell of valid files one by one.
    pub details: bool,
    /// The way to the buckets that some of the folders are in.
    pub remote: Option<Arc<Remote>>,
}

/// What all workers share.
struct Job {
    archive: Archive,
    keys: Keys,
    signatures: Signatures,
    since: Option<i64>,
    until: Option<i64>,
    trails: Option<HashSet<String>>,
    now: i64,
    limits: Limits,
    hashes: Option<Arc<Hashes>>,
    details: bool,
    /// The digests that the saved signatures name, by place.
    named: BTreeMap<Place, Named>,
}

impl Job {
    /// Whether a chain is one of those that are asked for.
    fn is_asked(&self, chain: &ChainId) -> bool {
        self.trails.as_ref().is_none_or(|trails| trails.contains(&*chain.trail))
    }
}

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
    /// What speaks against the archive, or is worth knowing.
    pub findings: Vec<Finding>,
    /// What is known of which hours.
    pub spans: Vec<Span>,
    /// What was asked for, found and left uncovered: at the end.
    pub ranges: Vec<Range>,
    /// The keys that valid digests are signed with: at the end.
    pub keys: Vec<UsedKey>,
    /// Totals since the start.
    pub counts: Counts,
    /// Work since the start.
    pub progress: Progress,
    /// Account, region and trail of the chains that were walked along.
    seen: Vec<(Arc<str>, Arc<str>, Arc<str>)>,
    /// What is known of the time of the standard chains that were walked along.
    covers: Vec<((Place, ChainId), Cover)>,
    /// Calls about trails.
    calls: Vec<Call>,
    /// Region and fingerprint of a public key, and how many valid digests are signed with it.
    used: BTreeMap<(Arc<str>, String), u64>,
}

/// How many files came out how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Digests of the standard chains: valid, invalid, missing, unverified.
    pub digests: [u64; 4],
    /// Digests of the chains of backfill digests.
    pub backfills: [u64; 4],
    /// Log files, each as often as it is listed.
    pub logs: [u64; 4],
    /// Valid digests that a file of signatures or their own metadata vouch for, that their successors vouch for.
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
    fn add(&mut self, more: &Self) {
        let add = |counts: &mut [u64], more: &[u64]| counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        add(&mut self.digests, &more.digests);
        add(&mut self.backfills, &more.backfills);
        add(&mut self.logs, &more.logs);
        add(&mut self.vouched, &more.vouched);
        add(&mut self.unlisted, &more.unlisted);
        add(&mut self.findings, &more.findings);
    }

    fn digest(&mut self, status: Status, is_backfill: bool) {
        let counts = if is_backfill { &mut self.backfills } else { &mut self.digests };
        counts[status as usize] += 1;
    }

    fn missing(&mut self, digests: u64, is_backfill: bool) {
        let counts = if is_backfill { &mut self.backfills } else { &mut self.digests };
        counts[Status::Missing as usize] += digests;
    }

    fn log(&mut self, status: Status) {
        self.logs[status as usize] += 1;
    }

    fn signature(&mut self, from: Provenance, status: Status) {
        match from {
            Provenance::File | Provenance::Metadata if status == Status::Valid => self.vouched[0] += 1,
            Provenance::Successor if status == Status::Valid => self.vouched[1] += 1,
            _ => {}
        }
    }

    fn unlisted(&mut self, severity: Severity) {
        self.unlisted[severity as usize] += 1;
    }
}

impl Progress {
    fn digest(&mut self, node: &Node) {
        self.log(node.read.as_ref().map(|(_, content)| content));
    }

    fn add(&mut self, more: &Self) {
        self.files += more.files;
        self.stored += more.stored;
        self.inflated += more.inflated;
        self.places.0 += more.places.0;
    }

    fn log(&mut self, content: Option<&Content>) {
        if let Some(content) = content {
            self.files += 1;
            self.stored += content.stored;
            self.inflated += content.inflated;
        }
    }
}

impl Output {
    /// Adds what a part found, and empties it.
    fn take(&mut self, part: &mut Self) {
        self.digests.append(&mut part.digests);
        self.missing.append(&mut part.missing);
        self.logs.append(&mut part.logs);
        self.unlisted.append(&mut part.unlisted);
        self.findings.append(&mut part.findings);
        self.spans.append(&mut part.spans);
        self.seen.append(&mut part.seen);
        self.covers.append(&mut part.covers);
        self.calls.append(&mut part.calls);
        add_used(&mut self.used, &mut part.used);
        self.counts.add(&part.counts);
        self.progress.add(&part.progress);
        (part.counts, part.progress) = (Counts::default(), Progress::default());
    }

    fn unreadable(&mut self, path: PathBuf, error: &Error, place: Option<&Place>) {
        self.about(Reason::Unreadable, error.to_string(), &path, place);
        drop(path);
    }

    fn stray(&mut self, path: &Path, place: Option<&Place>) {
        let message = "a file where CloudTrail puts none of this name: a copy, or moved";
        self.about(Reason::Stray, message.to_owned(), path, place);
    }

    fn about(&mut self, reason: Reason, message: String, path: &Path, place: Option<&Place>) {
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

fn add_used(used: &mut BTreeMap<(Arc<str>, String), u64>, more: &mut BTreeMap<(Arc<str>, String), u64>) {
    for (key, count) in std::mem::take(more) {
        *used.entry(key).or_default() += count;
    }
}

/// A verification that is under way. It works in [`Self::step`] only: between the steps no thread of it runs.
pub struct Verify {
    job: Job,
    workers: Vec<Worker>,
    places: VecDeque<(Place, Dirs)>,
    /// The walks that are under way, and what they found in this step.
    walks: Vec<(Walk, Output)>,
    counts: Counts,
    progress: Progress,
    stray: VecDeque<PathBuf>,
    unreadable: Vec<(PathBuf, Error)>,
    /// What was asked for by name, and was not seen: accounts, regions, trails.
    asked: [HashSet<String>; 3],
    /// What the walks that are done know of their chains, until it is told.
    covers: Option<Covers>,
    calls: BTreeSet<Call>,
    used: BTreeMap<(Arc<str>, String), u64>,
    /// Log files that a walk reads in a step.
    slice: usize,
}

/// How long a step should last about: Ctrl-C waits for it.
const STEP: Duration = Duration::from_millis(200);
const SLICES: (usize, usize) = (16, 32 << 10);
/// Places that are walked through at once.
const WALKS: usize = 32;
/// Calls about trails that are kept, the oldest first.
const CALLS: usize = 1 << 16;
/// Rows of files in no place, of one step.
const STRAY: usize = 4096;

impl Verify {
    /// Looks through the folders, down to regions. Fails where one of those that are named is not there, or tells nothing.
    pub fn start(plan: Plan) -> Result<Self, Error> {
        let Plan { roots, keys, signatures, since, until, places, trails, now, limits, threads, hashes, details, remote } = plan;
        let archive = Archive::new(roots, Storage::new(remote))?;
        let mut contents = archive.contents(&places);
        let named = saved::named(&signatures, &archive);
        for place in named.keys().filter(|place| places.has(place)) {
            contents.places.entry(place.clone()).or_default();
        }
        let asked = [&places.accounts, &places.regions, &trails].map(|names| names.clone().unwrap_or_default());
        let job = Job { archive, keys, signatures, since, until, trails, now, limits, hashes, details, named };
        let workers = (0..threads.max(1)).map(|_| Worker::new(&job)).collect();
        let progress = Progress { places: (0, contents.places.len() as u64), ..Progress::default() };
        Ok(Self {
            job,
            workers,
            places: contents.places.into_iter().collect(),
            walks: Vec::new(),
            counts: Counts::default(),
            progress,
            stray: contents.stray.into(),
            unreadable: contents.unreadable,
            asked,
            covers: Some(Covers::new()),
            calls: BTreeSet::new(),
            used: BTreeMap::new(),
            slice: 256,
        })
    }

    /// Does a part of the work; `None` when all is done.
    pub fn step(&mut self) -> Option<Output> {
        let mut out = Output::default();
        for (path, error) in self.unreadable.drain(..) {
            out.unreadable(path, &error, None);
        }
        while self.walks.len() < WALKS
            && let Some((place, dirs)) = self.places.pop_front()
        {
            let walk = Walk::new(place, &dirs, &self.job, &mut out);
            self.walks.push((walk, Output::default()));
        }
        if !self.walks.is_empty() {
            self.walk(&mut out);
        } else if !self.stray.is_empty() {
            for path in self.stray.drain(..self.stray.len().min(STRAY)) {
                out.stray(&path, None);
            }
        } else {
            let covers = self.covers.take()?;
            self.tell_unseen(&mut out);
            let calls: Vec<_> = std::mem::take(&mut self.calls).into_iter().collect();
            let asked = Asked { since: self.job.since, until: self.job.until, now: self.job.now };
            let (ranges, mut findings) = cover::tell(&covers, &calls, asked);
            out.ranges = ranges;
            out.findings.append(&mut findings);
            let used = std::mem::take(&mut self.used).into_iter();
            out.keys = used.map(|((region, fingerprint), digests)| UsedKey { region, fingerprint, digests }).collect();
        }
        for finding in &out.findings {
            out.counts.findings[finding.severity as usize] += 1;
        }
        self.counts.add(&out.counts);
        self.progress.add(&out.progress);
        (out.counts, out.progress) = (self.counts, self.progress);
        Some(out)
    }

    /// Tells of what was asked for, but has no digests.
    fn tell_unseen(&mut self, out: &mut Output) {
        for (names, what) in self.asked.iter_mut().zip(["account", "region", "trail"]) {
            let mut names: Vec<_> = names.drain().collect();
            names.sort();
            for name in names {
                let reason = Reason::NoDigests;
                let message = format!("there are no digests of {what} {name}");
                let of = |this: &str| (what == this).then(|| name.as_str().into());
                let (account, region, trail) = (of("account"), of("region"), of("trail"));
                out.findings.push(Finding {
                    severity: reason.severity(),
                    reason,
                    message,
                    file: None,
                    account,
                    region,
                    trail,
                    time: None,
                });
            }
        }
    }

    /// Takes all walks a step further: side by side where there are enough of them, else one after another with all workers.
    fn walk(&mut self, out: &mut Output) {
        let Self { job, workers, walks, slice, .. } = self;
        let begin = Instant::now();
        let step = |workers: &mut [Worker], (walk, out): &mut (Walk, Output)| {
            if !walk.step(job, workers, *slice, out) {
                out.progress.places.0 += 1;
            }
        };
        if walks.len() >= 2 * workers.len() {
            each(workers, walks, |worker, walk| step(std::slice::from_mut(worker), walk));
        } else if job.archive.storage.is_far() {
            // Every walk has to wait for its folders: none should wait for another one's.
            let (share, several) = ((workers.len() / walks.len()).max(1), walks.len().div_ceil(workers.len()));
            std::thread::scope(|scope| {
                for (workers, walks) in workers.chunks_mut(share).zip(walks.chunks_mut(several)) {
                    scope.spawn(move || walks.iter_mut().for_each(|walk| step(workers, walk)));
                }
            });
        } else {
            for walk in walks.iter_mut() {
                step(workers, walk);
            }
        }
        for (_, part) in walks.iter_mut() {
            out.take(part);
        }
        for (account, region, trail) in out.seen.drain(..) {
            self.asked[0].remove(&*account);
            self.asked[1].remove(&*region);
            self.asked[2].remove(&*trail);
        }
        self.covers.iter_mut().for_each(|covers| covers.extend(out.covers.drain(..)));
        self.calls.extend(out.calls.drain(..));
        while self.calls.len() > CALLS {
            self.calls.pop_last();
        }
        add_used(&mut self.used, &mut out.used);
        walks.retain(|(walk, _)| !walk.is_done());
        let took = begin.elapsed();
        if took < STEP / 2 {
            *slice = (*slice * 2).min(SLICES.1);
        } else if took > STEP * 2 {
            *slice = (*slice / 2).max(SLICES.0);
        }
    }
}

/// Lets all workers work on some items.
fn each<T: Send>(workers: &mut [Worker], items: &mut [T], work: impl Fn(&mut Worker, &mut T) + Sync) {
    const CHUNK: usize = 32;
    let (first, rest) = workers.split_first_mut().expect("at least one worker");
    if rest.is_empty() || items.len() < 2 {
        return items.iter_mut().for_each(|item| work(first, item));
    }
    let chunk = (items.len() / (8 * (rest.len() + 1))).clamp(1, CHUNK);
    let queue = Mutex::new(items.chunks_mut(chunk));
    let run = |worker: &mut Worker| {
        loop {
            let chunk = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(chunk) = chunk else { break };
            for item in chunk {
                work(worker, item);
            }
        }
    };
    std::thread::scope(|scope| {
        for worker in rest {
            scope.spawn(|| run(worker));
        }
        run(first);
    });
}
