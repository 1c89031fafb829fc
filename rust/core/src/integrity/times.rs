//! A walk along digests of any times, without files: for the fuzz targets.

use crate::clock::{HOUR, is_plausible};
use crate::digest::{Content, Digest, Name, Previous, Provenance};
use crate::hash::{hex, sha256};
use crate::source::Storage;

use super::archive::{Archive, Place, Root};
use super::chain::{Chain, Settled};
use super::cover::{Asked, Cover, Covers, tell};
use super::finding::{Range, Reason, What};
use super::missing::named;
use super::node::{ChainId, Node, Problem};

const NAME: &str = concat!(
    "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/",
    "111122223333_CloudTrail-Digest_us-east-2_t_us-east-2_20150817T140131Z.json.gz"
);

/// Walks along digests that begin and end at any times, oldest first by the times in their names, each of which names
/// the one before it or none; what was asked for, and what the walk tells: how many steps, and the ranges.
///
/// # Panics
/// Where the walk tells more than there are digests, or ranges that do not tell each moment once.
#[must_use]
pub fn walk_of_times(
    digests: &[(i64, i64, bool)],
    (since, until): (Option<i64>, Option<i64>),
    now: i64,
) -> (usize, Vec<Range>) {
    let archive = Archive::new(vec![Root { path: "/no".into(), origin: None }], Storage::default()).expect("a root");
    let at = |time: i64| Name { bucket: "b".into(), key: named(NAME, time).unwrap_or_else(|| NAME.to_owned()) };
    let mut times: Vec<_> = digests.iter().filter(|(_, end, _)| is_plausible(*end, now)).copied().collect();
    times.sort_by_key(|(_, end, _)| *end);
    let (mut chain, mut settled, mut before) = (Chain::default(), Vec::new(), None);
    for &(start, end, is_linked) in &times {
        let name = at(end);
        let mut node = Node::new(std::path::Path::new("/no").join(&name.key), end, false);
        let hash = sha256(&end.to_le_bytes());
        let previous: Option<i64> = before.filter(|_| is_linked);
        let previous = previous.map(|end| Previous {
            at: at(end),
            hash: hex(&sha256(&end.to_le_bytes())),
            algorithm: "SHA-256".into(),
            signature: "00".into(),
        });
        if start >= end || end - start > 24 * HOUR || !is_plausible(start, now) {
            node.problems.push(Problem::new(Reason::ImplausibleTime, ""));
        }
        let content = Content { sha256: hash, stored: 0, inflated: 0, members: 1, trailing: 0, names_calls: false };
        let mut digest = Digest::default();
        (digest.start, digest.end, digest.at, digest.previous) = (start, end, name, previous);
        node.read = Some((digest, content));
        (node.signature, node.proven) = (Some((vec![0], Provenance::Successor)), Some(true));
        before = Some(end);
        chain.push(node, &archive);
        while chain.settle(false, since, &archive, &mut settled) {}
    }
    while chain.settle(true, since, &archive, &mut settled) {}
    if let Some(until) = until {
        chain.missing_after(until.min(now), since, "", &archive, &mut settled);
    }
    let mut cover = Cover::default();
    for settled in &settled {
        match settled {
            Settled::Gap { from, to } => cover.gaps.add((*from, *to)),
            Settled::Missing(missing) => cover.missing.add(missing.hours()),
            Settled::Digest { node, .. } => cover.found.add((node.end() - HOUR, node.end())),
        }
    }
    let place = Place { org: None, account: "111122223333".into(), region: "us-east-2".into() };
    let id = ChainId { trail: "t".into(), home_region: "us-east-2".into(), backfill: false };
    let covers = Covers::from([((place, id), cover)]);
    let (ranges, findings) = tell(&covers, &[], Asked { since, until, now });
    // A digest, what is missing before it, and a gap; and what is missing at the end.
    assert!(settled.len() <= 3 * times.len() + 1 && findings.len() <= 2 && ranges.len() <= 4 * times.len() + 6);
    let mut told: Vec<_> =
        ranges.iter().filter(|range| range.what != What::Asked).map(|range| (range.start, range.end)).collect();
    told.sort_unstable();
    assert!(told.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{told:?}");
    (settled.len(), ranges)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_770_282_091_000_000;

    /// Near and far: whole hours, parts of them, other centuries.
    fn time() -> impl Strategy<Value = i64> {
        prop_oneof![
            (0i64..200).prop_map(|hours| NOW - hours * HOUR),
            (0i64..200 * 60).prop_map(|minutes| NOW - minutes * HOUR / 60),
            -62_135_596_800_000_000i64..253_402_300_799_000_000,
        ]
    }

    proptest! {
        #[test]
        fn what_is_told_is_bounded_and_each_moment_is_told_once(
            digests in proptest::collection::vec((time(), time(), any::<bool>(), any::<bool>()), 0..12),
            since in proptest::option::of(time()),
            until in proptest::option::of(time()),
        ) {
            let digest = |(start, end, is_hour, is_linked)| (if is_hour { end - HOUR } else { start }, end, is_linked);
            let digests: Vec<_> = digests.into_iter().map(digest).collect();
            let is_reversed = since.zip(until).is_some_and(|(since, until)| since > until);
            let (since, until) = if is_reversed { (until, since) } else { (since, until) };
            let (_, ranges) = walk_of_times(&digests, (since, until), NOW);
            prop_assert!(ranges.iter().all(|range| range.start.zip(range.end).is_none_or(|(start, end)| start <= end)));
        }
    }
}
