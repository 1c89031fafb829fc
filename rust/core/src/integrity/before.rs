//! The chains that existed before the range: each is expected in it.
//!
//! They are known by the names of their digests. However long the history is, only some of its folders are read: every
//! day of the month before the range, and in each folder of an earlier month the newest day with digests. So a chain
//! stays unknown only if it began and ended within one month, longer ago than that, while another one in the same
//! folders continued.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use crate::clock::{DAY, day, is_plausible};
use crate::error::Error;
use crate::source::Storage;
use crate::source::key::Key;

use super::days::files;
use super::node::ChainId;

/// How long before the range every day is read.
const RECENT: i64 = 31 * DAY;
/// Digests kept per chain: the newest may turn out not to belong to it.
const KEPT: usize = 24;

/// The newest digests of each chain, with the times in their names, oldest first.
pub(crate) type Newest = BTreeMap<ChainId, BTreeSet<(i64, PathBuf)>>;

/// Finds the chains of a place that have digests before the range, in the folders of days and among files outside of
/// them.
pub(crate) fn chains(
    days: &[(u32, PathBuf)],
    odd: &[PathBuf],
    (since, now): (i64, i64),
    storage: &Storage,
    failed: &mut impl FnMut(PathBuf, Error),
) -> Newest {
    let mut chains = Newest::new();
    let (newest, recent) = (day(since), day(since.saturating_sub(RECENT)));
    let mut months = HashSet::new();
    for (day, folder) in days.iter().rev().filter(|(day, _)| *day <= newest) {
        if (*day >= recent || !months.contains(&folder.parent()))
            && add(&mut chains, files(folder, storage, failed), (since, now))
        {
            months.insert(folder.parent());
        }
    }
    add(&mut chains, odd.to_vec(), (since, now));
    chains
}

/// Adds the digests among some files; returns whether there are any.
fn add(chains: &mut Newest, files: Vec<PathBuf>, (since, now): (i64, i64)) -> bool {
    let mut any = false;
    for path in files {
        let text = path.to_string_lossy();
        let Some(key) = Key::parse(&text).filter(|key| key.time < since && is_plausible(key.time, now)) else {
            continue;
        };
        let Some(id) = ChainId::of(&key) else { continue };
        let time = key.time;
        let kept = chains.entry(id).or_default();
        kept.insert((time, path));
        if kept.len() > KEPT {
            kept.pop_first();
        }
        any = true;
    }
    any
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::days::Days;
    use super::*;
    use crate::scalar::timestamp;

    fn put(root: &Path, trail: &str, when: &str) {
        let (day, stamp) = (when[..10].replace('-', "/"), when.replace(['-', ':'], ""));
        let folder = root.join("AWSLogs/111122223333/CloudTrail-Digest/eu-west-1").join(day);
        fs::create_dir_all(&folder).expect("a folder");
        let name = format!("111122223333_CloudTrail-Digest_eu-west-1_{trail}_eu-west-1_{stamp}.json.gz");
        fs::write(folder.join(name), b"").expect("a file");
    }

    /// The trails found, with the times of their newest digests.
    fn found(root: &Path, since: &str) -> Vec<(String, i64)> {
        let mut failed = |path: PathBuf, error| panic!("{}: {error}", path.display());
        let region = root.join("AWSLogs/111122223333/CloudTrail-Digest/eu-west-1");
        let days = Days::of(&[region], &Storage::default(), &mut failed);
        let at = (timestamp(since.as_bytes()).expect("a time"), i64::MAX);
        let chains = chains(&days.folders, &days.odd, at, &Storage::default(), &mut failed);
        chains.into_iter().map(|(id, kept)| (id.trail.to_string(), kept.last().expect("a digest").0)).collect()
    }

    #[test]
    fn chains_are_found_however_long_ago_they_ended() {
        let root = tempfile::tempdir().expect("a folder");
        for when in ["2020-02-03T10:00:00Z", "2020-02-03T11:00:00Z", "2024-05-20T10:00:00Z"] {
            put(root.path(), "old", when);
        }
        for month in 1..=5 {
            put(root.path(), "other", &format!("2024-{month:02}-28T10:00:00Z"));
        }
        // Recent days are read one by one, earlier months from their end.
        let time = |text: &str| timestamp(text.as_bytes()).expect("a time");
        let other = ("other".to_owned(), time("2024-05-28T10:00:00Z"));
        assert_eq!(
            found(root.path(), "2024-06-10T00:00:00Z"),
            [("old".to_owned(), time("2024-05-20T10:00:00Z")), other.clone()]
        );
        assert_eq!(
            found(root.path(), "2024-09-10T00:00:00Z"),
            [("old".to_owned(), time("2020-02-03T11:00:00Z")), other]
        );
        // A digest of the range itself does not count.
        assert_eq!(found(root.path(), "2020-02-03T11:00:00Z"), [("old".to_owned(), time("2020-02-03T10:00:00Z"))]);
        assert_eq!(found(root.path(), "2020-02-03T10:00:00Z"), []);
    }

    #[test]
    fn a_day_without_digests_hides_none() {
        let root = tempfile::tempdir().expect("a folder");
        put(root.path(), "t", "2024-01-15T10:00:00Z");
        fs::create_dir_all(root.path().join("AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2024/01/31"))
            .expect("a folder");
        assert_eq!(found(root.path(), "2024-09-10T00:00:00Z").len(), 1);
    }
}
