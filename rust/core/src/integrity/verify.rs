//! A verification, step by step.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::source::Storage;

use super::archive::{Archive, Dirs, Place};
use super::calls::Call;
use super::check::Worker;
use super::cover::{self, Asked, Covers};
use super::finding::{Finding, Reason, UsedKey};
use super::output::{Counts, Output, Progress, add_used};
use super::plan::{Job, Plan};
use super::saved;
use super::walk::Walk;
use super::workers::each;

/// A running verification. It works only inside of [`Self::step`]: between steps none of its threads run.
pub struct Verify {
    job: Job,
    workers: Vec<Worker>,
    places: VecDeque<(Place, Dirs)>,
    /// The running walks, and what they found in this step.
    walks: Vec<(Walk, Output)>,
    counts: Counts,
    progress: Progress,
    stray: VecDeque<PathBuf>,
    unreadable: Vec<(PathBuf, Error)>,
    /// What was asked for by name and not found: accounts, regions, trails.
    asked: [HashSet<String>; 3],
    /// Existing trails that were not asked for: enough of them to suggest a similar name.
    others: BTreeSet<Arc<str>>,
    /// What finished walks know about their chains, until it is reported.
    covers: Option<Covers>,
    calls: BTreeSet<Call>,
    used: BTreeMap<(Arc<str>, String), u64>,
    /// Log files per walk and step.
    slice: usize,
}

/// The target duration of a step, since Ctrl-C waits for its end.
const STEP: Duration = Duration::from_millis(200);
const SLICES: (usize, usize) = (16, 32 << 10);
/// Places that are walked at once.
const WALKS: usize = 32;
/// Calls about trails that are kept, the oldest first.
const CALLS: usize = 1 << 16;
/// Other trails than those asked for that are kept.
const OTHERS: usize = 10_000;
/// Rows per step for files outside of any place.
const STRAY: usize = 4096;

impl Verify {
    /// Lists the folders down to regions. Fails if one that was named does not exist or cannot be recognized.
    pub fn start(plan: Plan) -> Result<Self, Error> {
        let Plan {
            roots,
            keys,
            signatures,
            since,
            until,
            places,
            trails,
            now,
            limits,
            threads,
            hashes,
            details,
            remote,
        } = plan;
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
            others: BTreeSet::new(),
            covers: Some(Covers::new()),
            calls: BTreeSet::new(),
            used: BTreeMap::new(),
            slice: 256,
        })
    }

    /// Trails of digests that were skipped so far, since others are asked for: the first 10,000.
    pub fn other_trails(&self) -> impl Iterator<Item = &str> {
        self.others.iter().map(|trail| &**trail)
    }

    /// Does a part of the work; `None` if everything is done.
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

    /// Reports what was asked for but has no digests.
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

    /// Takes all walks one step further: in parallel if there are enough of them, else one after another with all
    /// workers.
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
            // Each walk has to wait for its folders, and should not wait for those of another one.
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
        self.others.append(&mut out.others);
        while self.others.len() > OTHERS {
            self.others.pop_last();
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
