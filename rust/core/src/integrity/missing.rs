//! Missing digests, as ranges of hours, however many there are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::clock::{HOUR, folder_and_stamp, iso};
use crate::digest::Name;
use crate::source::key::Key;
use crate::source::path_text;

use super::archive::Archive;

/// Missing digests of consecutive hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// When the oldest of them would end.
    pub(crate) first: i64,
    /// When the newest of them would end.
    pub(crate) last: i64,
    /// How many: one for each hour.
    pub(crate) count: u64,
    /// The name of the newest, if known.
    pub(crate) at: Option<Name>,
    /// Where the newest would be.
    pub(crate) path: Option<PathBuf>,
    /// What shows that they should exist.
    pub(crate) why: String,
}

impl Missing {
    /// The hours that they would cover.
    pub(crate) fn hours(&self) -> (i64, i64) {
        (self.first.saturating_sub(HOUR), self.last)
    }

    /// The message.
    pub(crate) fn message(&self) -> String {
        let Self { first, last, count, why, .. } = self;
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        if *count == 1 {
            format!("the digest that would end at {} is not there{why}", iso(*last))
        } else {
            format!("{count} digests are not there, those that would end from {} to {}{why}", iso(*first), iso(*last))
        }
    }

    /// The path or key of the newest.
    pub(crate) fn file(&self) -> Option<String> {
        let path = self.path.as_ref().map(|path| path_text(path));
        path.or_else(|| self.at.as_ref().map(|at| at.key.clone()))
    }

    /// The name of the one that would cover a moment.
    pub(crate) fn file_about(&self, moment: i64) -> Option<String> {
        let (start, end) = self.hours();
        if moment < start || moment >= end {
            return None;
        }
        // Counted from the end, whose name is known.
        let hours = ((self.last - moment - 1) / HOUR).min(self.count.cast_signed() - 1);
        let file = self.file()?;
        Some(named(&file, self.last - hours * HOUR).unwrap_or(file))
    }
}

/// Another digest of a chain: its name, if it can be trusted, and its path.
#[derive(Clone, Copy)]
pub(crate) struct Like<'a> {
    pub(crate) name: Option<&'a Name>,
    pub(crate) path: &'a Path,
}

impl Like<'_> {
    /// The digests that end this many hours after a moment, from the first hour on, except those with a file, which
    /// have findings of their own. There is at most one range more than such files.
    pub(crate) fn missing(
        self,
        from: i64,
        hours: i64,
        there: &BTreeSet<i64>,
        why: &str,
        archive: &Archive,
    ) -> Vec<Missing> {
        if hours < 1 {
            return Vec::new();
        }
        let last = from + hours * HOUR;
        let is_one = |time: &&i64| (**time - from) % HOUR == 0;
        let ends = there.range(from + HOUR..=last).filter(is_one).copied().chain([last + HOUR]);
        let mut found = Vec::new();
        let mut first = from + HOUR;
        for end in ends {
            if first < end {
                let last = end - HOUR;
                let at = self.name.and_then(|name| sibling(name, last));
                let path = match &at {
                    Some(at) => archive.find(at),
                    None => self.path.to_str().and_then(|path| named(path, last)).map(PathBuf::from),
                };
                let count = ((end - first) / HOUR).cast_unsigned();
                found.push(Missing { first, last, count, at, path, why: why.to_owned() });
            }
            first = end + HOUR;
        }
        found
    }
}

/// The name of the digest of the same chain that ends at a time.
pub(crate) fn sibling(name: &Name, time: i64) -> Option<Name> {
    Some(Name { bucket: name.bucket.clone(), key: named(&name.key, time)? })
}

/// The key, or the path, of the digest of the same chain that ends at a time.
pub(crate) fn named(like: &str, time: i64) -> Option<String> {
    let mut key = Key::parse(like).filter(Key::is_digest)?;
    let (folder, stamp) = folder_and_stamp(time);
    key.day = key.day.map(|_| folder.as_str());
    key.stamp = &stamp;
    Some(key.to_string())
}
