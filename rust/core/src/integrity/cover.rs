//! What was asked for, what valid digests cover, and what is left uncovered: chain by chain, once all of them are
//! known.
//!
//! | uncovered | unless | weight |
//! |---|---|---|
//! | the start of the range (`since`) | `CreateTrail` made the trail then, and it was started | error, else a note |
//! | what follows a `CreateTrail` with validation | it was started first when its digests begin | error |
//! | what chains of the trail in other regions cover before a chain begins | as above | note: regions may be added |
//! | the end of the range (`until`) | it is so late that no digest may be there yet | error, else a note |
//!
//! Less than an hour at either end is only a note: a range in whole hours or days seldom begins or ends with a digest.
//!
//! A starting digest alone proves none of this: one follows every stop, and removing what is before it leaves no trace
//! in the chain.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::{HOUR, iso};

use super::archive::Place;
use super::calls::{Call, What as Called};
use super::finding::{Finding, Range, Reason, Severity, What};
use super::node::ChainId;
use super::stretches::{Stretch, Stretches};

/// How far the digests of a trail may begin after the call that starts it, and apart from each other in its regions.
const NEAR: i64 = 2 * HOUR;
/// How late a digest may be delivered.
pub(super) const DELIVERY: i64 = 2 * HOUR;

/// What is known about the time of one chain.
#[derive(Debug, Clone, Default)]
pub(super) struct Cover {
    /// What valid digests cover.
    pub(super) found: Stretches,
    /// Before a digest that starts the chain again.
    pub(super) gaps: Stretches,
    pub(super) missing: Stretches,
    /// What invalid digests would cover, by their names.
    pub(super) bad: Stretches,
    /// Whether it has digests before the range.
    pub(super) is_continued: bool,
    /// It has no digest in the range but one after it; whether that one names a digest before it.
    pub(super) follower: Option<bool>,
}

/// What was asked for, and when.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) since: Option<i64>,
    pub(super) until: Option<i64>,
    pub(super) now: i64,
}

/// All chains of an archive.
pub(super) type Covers = BTreeMap<(Place, ChainId), Cover>;

/// Returns the ranges of all chains, and the findings about them.
pub(super) fn tell(covers: &Covers, calls: &[Call], asked: Asked) -> (Vec<Range>, Vec<Finding>) {
    let (mut ranges, mut findings) = (Vec::new(), Vec::new());
    let mut firsts: BTreeMap<_, Vec<(i64, &str)>> = BTreeMap::new();
    for ((place, id), cover) in covers {
        let first = cover.known().whole().map(|(first, _)| (first, &*place.region));
        firsts.entry((&place.account, id)).or_default().extend(first);
    }
    let mut by_trail: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in calls {
        by_trail.entry(&call.trail).or_default().push(call);
    }
    for ((place, id), cover) in covers {
        let named = by_trail.get(&*id.trail).into_iter().flatten();
        let calls = named.copied().filter(|call| call.is_about(place, id)).collect();
        let siblings = firsts.get(&(&place.account, id)).into_iter().flatten();
        let sibling = siblings.copied().filter(|(_, region)| *region != &*place.region).min();
        let mut chain = Told { place, id, cover, calls, sibling, asked, findings: &mut findings };
        let (begin, end) = chain.judge();
        chain.ranges(begin, end, &mut ranges);
    }
    (ranges, findings)
}

impl Cover {
    fn known(&self) -> Stretches {
        self.found.and(&[&self.gaps, &self.missing, &self.bad])
    }
}

/// The chain that is reported.
struct Told<'a> {
    place: &'a Place,
    id: &'a ChainId,
    cover: &'a Cover,
    calls: Vec<&'a Call>,
    /// Where, among the other regions, the same trail begins first, and when.
    sibling: Option<(i64, &'a str)>,
    asked: Asked,
    findings: &'a mut Vec<Finding>,
}

impl Told<'_> {
    /// Finds what is uncovered before and after everything known; returns from when to when the chain should be.
    fn judge(&mut self) -> (i64, i64) {
        let Asked { since, until, now } = self.asked;
        let Some((first, last)) = self.cover.known().whole() else {
            let (begin, end) = (since.or(until).unwrap_or(now), until.or(since).unwrap_or(now));
            if self.cover.is_continued {
                self.ending(begin, end);
            } else if let Some(is_named) = self.cover.follower {
                let (severity, what) = if is_named {
                    (Severity::Error, "the digest that follows it names one before it")
                } else {
                    (Severity::Note, "the chain starts after it")
                };
                self.find(severity, (begin, end), &format!("no digest of the chain is in the range: {what}"));
            }
            return (begin, end);
        };
        let (begin, end) = (self.beginning(first), until.unwrap_or(last));
        self.ending(last, end);
        (begin, end)
    }

    /// Whether a time at the end must be covered yet.
    fn ending(&mut self, last: i64, end: i64) {
        let now = self.asked.now;
        if last < end {
            let is_due = last.saturating_add(HOUR + DELIVERY) <= now;
            let (severity, why) = if end > now {
                (Severity::Error, "that time is not over")
            } else if is_due {
                (weight(last, end), "the chain ends before the range does")
            } else {
                (Severity::Note, "the next digest may still come")
            };
            self.find(severity, (last, end), why);
        }
    }

    /// Whether the first known moment is the one at which the trail began; if not, since when it is uncovered.
    fn beginning(&mut self, first: i64) -> i64 {
        let created =
            |call: &&&Call| matches!(call.what, Called::Created { .. }) && call.time <= first.saturating_add(HOUR);
        let created = self.calls.iter().filter(created).max_by_key(|call| call.time).copied();
        let is_first_start = |made: &Call| {
            let mut starts = self.calls.iter().filter(|call| call.what == Called::Started && call.time >= made.time);
            starts.all(|call| call.time >= first.saturating_sub(NEAR)) && starts_near(&self.calls, first)
        };
        let begins = created.filter(|made| made.time >= first.saturating_sub(NEAR) || is_first_start(made));
        let since = self.asked.since.filter(|_| !self.cover.is_continued);
        let bound = |time: i64| since.map_or(time, |since| time.max(since));
        if let Some(made) = begins {
            if let Some(since) = since.filter(|&since| since < first) {
                let why = format!("the trail was made at {} (CreateTrail), and its digests begin then", iso(made.time));
                self.find(Severity::Note, (since, first), &why);
                return since;
            }
            return first;
        }
        if let Some(made) =
            created.filter(|made| made.what == Called::Created { is_validated: true } && bound(made.time) < first)
            && since.is_none_or(|since| made.time > since)
        {
            let why = format!(
                "the trail was made with validation at {} (CreateTrail), but its digests begin later",
                iso(made.time)
            );
            let from = since.unwrap_or(made.time);
            self.find(Severity::Error, (from, first), &why);
            return from;
        }
        let sibling = self.sibling.filter(|(begin, _)| begin.saturating_add(NEAR) < first);
        let beside = sibling.map_or_else(String::new, |(begin, region)| {
            format!("; the digests of the same trail in {region} begin at {}", iso(begin))
        });
        if let Some(since) = since.filter(|&since| since < first) {
            let started =
                if starts_near(&self.calls, first) { " (StartLogging was called then, as after a stop)" } else { "" };
            let why = format!(
                "nothing tells whether the trail began only then{started} or earlier digests were removed{beside}"
            );
            self.find(weight(since, first), (since, first), &why);
            return since;
        }
        if let Some((begin, _)) = sibling.filter(|_| !self.cover.is_continued && since.is_none()) {
            let why =
                format!("nothing tells whether the region was added only then or earlier digests were removed{beside}");
            self.find(Severity::Note, (begin, first), &why);
            return begin;
        }
        first
    }

    fn find(&mut self, severity: Severity, (start, end): Stretch, why: &str) {
        if start >= end {
            return;
        }
        self.findings.push(Finding {
            severity,
            reason: Reason::Uncovered,
            message: format!("no digest covers {} to {}: {why}", iso(start), iso(end)),
            file: None,
            account: Some(Arc::clone(&self.place.account)),
            region: Some(Arc::clone(&self.place.region)),
            trail: Some(Arc::clone(&self.id.trail)),
            time: Some(start),
        });
    }

    /// The ranges: each moment between the bounds is either found or uncovered.
    fn ranges(&self, begin: i64, end: i64, out: &mut Vec<Range>) {
        let Asked { since, until, .. } = self.asked;
        let Cover { found, gaps, missing, bad, .. } = self.cover;
        let mut tell = |what, start, end, reason| {
            let (account, region) = (Arc::clone(&self.place.account), Arc::clone(&self.place.region));
            let (trail, home_region) = (Arc::clone(&self.id.trail), Arc::clone(&self.id.home_region));
            out.push(Range { account, region, trail, home_region, what, start, end, reason });
        };
        tell(What::Asked, since, until, None);
        let whole = (since.unwrap_or(i64::MIN), until.unwrap_or(i64::MAX));
        for (start, end) in found.within(whole).iter() {
            tell(What::Found, Some(start), Some(end), None);
        }
        let rest = Stretches::one((begin, end));
        let mut uncovered: Vec<_> = [
            (missing.without(&[found]), Reason::MissingDigest),
            (gaps.without(&[found, missing]), Reason::Gap),
            (bad.without(&[found, missing, gaps]), Reason::DigestInvalid),
            (rest.without(&[found, missing, gaps, bad]), Reason::Uncovered),
        ]
        .into_iter()
        .flat_map(|(stretches, reason)| {
            stretches.within(whole).iter().map(|stretch| (stretch, reason)).collect::<Vec<_>>()
        })
        .collect();
        uncovered.sort_unstable();
        for ((start, end), reason) in uncovered {
            tell(What::Uncovered, Some(start), Some(end), Some(reason));
        }
    }
}

/// How severe uncovered time at an end of the range is.
fn weight(start: i64, end: i64) -> Severity {
    if end.saturating_sub(start) < HOUR { Severity::Note } else { Severity::Error }
}

/// Whether the trail was started when its digests begin.
fn starts_near(calls: &[&Call], first: i64) -> bool {
    calls.iter().any(|call| call.what == Called::Started && (call.time - first).abs() <= NEAR)
}
