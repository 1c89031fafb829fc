//! Log files that no digest lists, found without holding the names of all log files.
//!
//! A digest lists log files of its own hour or a little older. So the folder of a day is compared some days after its
//! time: files that no digest has listed by then are held, in case a late one still does, and the other names of the
//! day are dropped.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};

use crate::clock::{DAY, day};
use crate::error::Error;
use crate::source::Storage;
use crate::source::key::Key;

use super::archive::is_read;
use super::days::{Days, day_number, files};

/// A log file that no digest lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFile {
    pub(crate) path: PathBuf,
    pub(crate) kind: String,
    /// The time in its name.
    pub(crate) time: Option<i64>,
}

pub(crate) struct Unlisted {
    keys: RandomState,
    /// Hashes of the listed paths, by the day of their folder.
    listed: BTreeMap<u32, HashSet<u64>>,
    /// Folders that were not compared yet, oldest first.
    ahead: VecDeque<(u32, PathBuf, usize)>,
    odd: Vec<(PathBuf, usize)>,
    kinds: Vec<String>,
    held: HashMap<u64, LogFile>,
    /// Kinds of which some file is listed.
    pub(crate) listed_kinds: HashSet<String>,
    range: (Option<i64>, Option<i64>),
    /// The latest time in a name of kind `CloudTrail`.
    pub(crate) newest: Option<i64>,
}

impl Unlisted {
    pub(crate) fn new(
        dirs: &[(String, PathBuf)],
        range: (Option<i64>, Option<i64>),
        storage: &Storage,
        failed: &mut impl FnMut(PathBuf, Error),
    ) -> Self {
        let mut kinds: Vec<_> = dirs.iter().map(|(kind, _)| kind.clone()).collect();
        kinds.sort();
        kinds.dedup();
        let (mut ahead, mut odd) = (Vec::new(), Vec::new());
        // The day of publication may differ from the day of the name around midnight.
        let first = range.0.map_or(0, |since| day(since.saturating_sub(DAY)));
        let last = range.1.map_or(u32::MAX, |until| day(until.saturating_add(DAY)));
        for (number, kind) in kinds.iter().enumerate() {
            let folders: Vec<_> = dirs.iter().filter(|(of, _)| of == kind).map(|(_, folder)| folder.clone()).collect();
            let days = Days::of(&folders, storage, failed);
            let in_range = |(day, _): &(u32, PathBuf)| (first..=last).contains(day);
            ahead.extend(days.folders.into_iter().filter(in_range).map(|(day, folder)| (day, folder, number)));
            odd.extend(days.odd.into_iter().map(|file| (file, number)));
        }
        ahead.sort();
        Self {
            keys: RandomState::new(),
            listed: BTreeMap::new(),
            ahead: ahead.into(),
            odd,
            kinds,
            held: HashMap::new(),
            listed_kinds: HashSet::new(),
            range,
            newest: None,
        }
    }

    /// Notes that a digest lists this file; returns whether another one did before.
    pub(crate) fn list(&mut self, path: &Path) -> bool {
        let hash = self.keys.hash_one(path);
        let text = path.to_string_lossy();
        let key = Key::parse(&text);
        if let Some(key) = &key
            && !self.listed_kinds.contains(key.kind)
        {
            self.listed_kinds.insert(key.kind.to_owned());
        }
        let day = key.and_then(|key| key.day.and_then(day_number)).unwrap_or(0);
        let is_passed = day != 0 && self.ahead.front().is_none_or(|(next, ..)| day < *next);
        if is_passed {
            self.held.remove(&hash);
            return false;
        }
        !self.listed.entry(day).or_default().insert(hash)
    }

    /// Compares the folders of the days before this one.
    pub(crate) fn pass(&mut self, day: u32, storage: &Storage, failed: &mut impl FnMut(PathBuf, Error)) {
        while self.ahead.front().is_some_and(|(next, ..)| *next < day)
            && let Some((_, folder, kind)) = self.ahead.pop_front()
        {
            for file in files(&folder, storage, failed) {
                self.look_at(file, kind);
            }
        }
        let rest = self.listed.split_off(&day);
        // Names of files outside of the folders of days are kept.
        let without_day = self.listed.remove(&0);
        self.listed = rest;
        self.listed.extend(without_day.map(|names| (0, names)));
    }

    /// Compares one more folder; `false` if there are none.
    pub(crate) fn pass_one(&mut self, storage: &Storage, failed: &mut impl FnMut(PathBuf, Error)) -> bool {
        let Some((_, folder, kind)) = self.ahead.pop_front() else { return false };
        for file in files(&folder, storage, failed) {
            self.look_at(file, kind);
        }
        true
    }

    /// The number of files held.
    pub(crate) fn take(&mut self) -> Vec<LogFile> {
        for (file, kind) in std::mem::take(&mut self.odd) {
            self.look_at(file, kind);
        }
        let mut found: Vec<_> = std::mem::take(&mut self.held).into_values().collect();
        found.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        found
    }

    fn look_at(&mut self, path: PathBuf, kind: usize) {
        if !is_read(&path) {
            return;
        }
        let text = path.to_string_lossy();
        let key = Key::parse(&text);
        let time = key.as_ref().map(|key| key.time);
        let (since, until) = self.range;
        if time.is_some_and(|time| since.is_some_and(|since| time < since) || until.is_some_and(|until| time > until)) {
            return;
        }
        let kind = &self.kinds[kind];
        if kind == "CloudTrail" {
            self.newest = self.newest.max(time);
        }
        let day = key.and_then(|key| key.day.and_then(day_number)).unwrap_or(0);
        let hash = self.keys.hash_one(&path);
        if !self.listed.get(&day).is_some_and(|names| names.contains(&hash)) {
            let kind = kind.clone();
            self.held.insert(hash, LogFile { path, kind, time });
        }
    }
}
