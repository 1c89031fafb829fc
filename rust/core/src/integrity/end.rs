//! What is reported once all digests of a place are settled: the newest missing ones, and log files that no digest
//! lists.

use crate::clock::{HOUR, iso};
use crate::error::Error;
use crate::source::path_text;

use super::chain::{Chain, Settled};
use super::cover::DELIVERY as DIGEST_DELIVERY;
use super::finding::{Finding, Reason, Severity, UnlistedRow};
use super::node::ChainId;
use super::output::Output;
use super::plan::Job;
use super::saved;
use super::unlisted::LogFile;
use super::walk::Walk;

/// How much later than its name a log file may be delivered and still be in the digest of that time.
const DELIVERY: i64 = HOUR / 4;

impl Walk {
    pub(super) fn finish(&mut self, job: &Job, out: &mut Output) -> bool {
        let place = self.place.clone();
        let mut failed = |path, error: Error| out.unreadable(path, &error, Some(&place));
        let more = self.unlisted.pass_one(&job.archive.storage, &mut failed);
        if self.digests == 0 {
            // No later digest can list them, so they need not be held.
            for file in self.unlisted.take() {
                self.tell_unlisted(file, out);
            }
        }
        if more {
            return true;
        }
        self.newest_missing(job, out);
        self.named_by_signatures(job, out);
        for file in self.unlisted.take() {
            self.tell_unlisted(file, out);
        }
        self.only_backfill(out);
        let in_range =
            |chain: &Chain| chain.last.as_ref().zip(job.since).is_none_or(|(last, since)| last.time >= since);
        let seen = self.chains.iter().filter(|(_, chain)| in_range(chain)).map(|(id, _)| id);
        out.seen.extend(seen.map(|id| (self.place.account.clone(), self.place.region.clone(), id.trail.clone())));
        self.tell_covers(job, out);
        if self.not_listed > 0 {
            let asked = if job.trails.is_some() { " of a trail that was asked for" } else { "" };
            let message = match self.not_listed {
                1 => format!("one log file, but no digest{asked}"),
                count => format!("{count} log files, but no digest{asked}"),
            };
            out.findings.push(self.place.finding(Reason::NoDigests, message));
        }
        false
    }

    /// Whether digests are missing at the end of the chains, judging by the range or by newer log files.
    fn newest_missing(&mut self, job: &Job, out: &mut Output) {
        let mut settled = Vec::new();
        let chains = std::mem::take(&mut self.chains);
        let standard = || chains.iter().filter(|(id, _)| !id.backfill);
        let newest = standard().filter_map(|(_, chain)| Some(chain.last.as_ref()?.time)).max();
        let log = self.unlisted.newest.filter(|&log| newest.is_some_and(|end| log > end + DIGEST_DELIVERY));
        let due = job.now - DIGEST_DELIVERY;
        for (id, chain) in standard() {
            let Some(last) = &chain.last else { continue };
            let by_log = log.filter(|_| Some(last.time) == newest);
            // The first hour of the range is part of it, even if its end is unknown.
            let first = job.since.filter(|&since| last.time < since).map(|since| since + HOUR);
            let (end, why) = if first.is_some() {
                let end = job.until.or(by_log.max(first));
                (end.map(|end| end.min(due)), "its chain ends before the range begins".to_owned())
            } else if job.until.is_some() {
                (job.until.map(|until| until.min(due)), "the chain ends before the range does".to_owned())
            } else {
                (by_log, by_log.map(|log| format!("there are log files up to {}", iso(log))).unwrap_or_default())
            };
            if let Some(end) = end {
                chain.missing_after(end, job.since, &why, &job.archive, &mut settled);
            }
            self.take(id, &mut settled, job, out);
        }
        self.chains = chains;
    }

    /// Reports missing digests that saved signatures name.
    fn named_by_signatures(&mut self, job: &Job, out: &mut Output) {
        for (id, mut left) in std::mem::take(&mut self.named).into_iter().filter(|(id, _)| job.is_asked(id)) {
            left.retain(|&time, _| {
                job.since.is_none_or(|since| time > since) && job.until.is_none_or(|until| time - HOUR < until)
            });
            if let Some(cover) = self.covers.get(&id) {
                left.retain(|&time, _| !cover.missing.holds_end(time));
            }
            let missing = saved::missing(left, &self.buckets, &job.archive);
            self.take(&id, &mut missing.into_iter().map(Settled::Missing).collect(), job, out);
        }
    }

    /// Hands over what is known about the time of the chains.
    fn tell_covers(&mut self, job: &Job, out: &mut Output) {
        for (id, chain) in self.chains.iter().filter(|(id, _)| !id.backfill) {
            let cover = self.covers.entry(id.clone()).or_default();
            let digest = chain.ahead.front().and_then(|node| node.digest().filter(|_| node.proven == Some(true)));
            cover.follower = digest.filter(|_| chain.last.is_none()).map(|digest| digest.previous.is_some());
        }
        let place = &self.place;
        let covers = std::mem::take(&mut self.covers).into_iter().filter(|(id, _)| !id.backfill && job.is_asked(id));
        out.covers.extend(covers.map(|(id, cover)| ((place.clone(), id), cover)));
    }

    /// Reports trails with backfill digests only: where those exist, the others must have existed.
    fn only_backfill(&self, out: &mut Output) {
        for id in self.chains.keys().filter(|id| id.backfill) {
            if !self.chains.contains_key(&ChainId { backfill: false, ..id.clone() }) {
                let message = format!("there are backfill digests of trail {}, but no others", id.trail);
                out.findings
                    .push(Finding { trail: Some(id.trail.clone()), ..self.place.finding(Reason::NoDigests, message) });
            }
        }
    }

    /// The missing digest for the hour of a log file.
    fn missing_about(&self, time: i64) -> Option<String> {
        self.missing.range(time.saturating_add(1)..).next().and_then(|(_, missing)| missing.file_about(time))
    }

    fn tell_unlisted(&mut self, file: LogFile, out: &mut Output) {
        let LogFile { path, kind, time } = file;
        let ends = self.newest.filter(|_| self.digests > 0);
        let may_come = ends.zip(time).is_some_and(|(end, time)| time > end - DELIVERY && time <= end + DIGEST_DELIVERY);
        let never_listed = kind != "CloudTrail" && self.digests > 0 && !self.unlisted.listed_kinds.contains(&kind);
        let (reason, severity, message) = if may_come {
            (
                Reason::Pending,
                Severity::Note,
                "no digest lists it yet: it is newer than the newest digest, or about as old".to_owned(),
            )
        } else if never_listed {
            (Reason::Unlisted, Severity::Note, format!("no digest lists it, but none lists any file of kind {kind}"))
        } else {
            (Reason::Unlisted, Severity::Error, "no digest lists it".to_owned())
        };
        let missing = time.and_then(|time| self.missing_about(time));
        let message =
            missing.as_ref().map_or(message, |_| "no digest lists it: the digest of its hour is not there".to_owned());
        let file = path_text(&path);
        out.counts.unlisted(severity);
        // Without any digest, one finding covers all of them.
        if self.digests > 0 {
            let finding = Finding { severity, file: Some(file.clone()), time, ..self.place.finding(reason, message) };
            out.findings.push(finding);
        } else {
            self.not_listed += 1;
        }
        let (account, region) = (Some(self.place.account.clone()), Some(self.place.region.clone()));
        out.unlisted.push(UnlistedRow { file, account, region, kind: Some(kind), time, reason, severity, missing });
    }
}
