//! The one interface of all sources of files: folders, buckets and lists of keys are iterators of [`Listed`].

use std::path::PathBuf;
use std::sync::Arc;

use super::object::Bucket;
use super::{Archived, Barren, Seen, Sieve, Skip};
use crate::error::Error;

/// Files in the order in which they are to be read.
pub type Keys = Box<dyn Iterator<Item = Listed> + Send>;

/// A file to read.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its path, or its address `s3://bucket/key`: the value of the column `file`.
    pub key: String,
    /// Where it is.
    pub at: At,
    /// Bytes; `None` where the source of the key does not know.
    pub size: Option<u64>,
    /// The `ETag` of this version, as the store sends it, quotes included.
    pub etag: Option<String>,
    /// When it was last changed: microseconds since 1970.
    pub modified: Option<i64>,
    /// Where S3 keeps it, if that is an archive class.
    pub archived: Option<Archived>,
    /// Index of its first record to read: an earlier run has handed over those before it.
    pub first: u64,
    /// Whether only this version is to be read: any other one is a failure.
    pub is_planned: bool,
}

/// Where a file is.
#[derive(Debug, Clone)]
pub enum At {
    /// On the local disk.
    Disk(PathBuf),
    /// In this bucket.
    Bucket(Arc<Bucket>),
}

/// One step of a listing.
#[derive(Debug)]
pub enum Listed {
    /// A file to read.
    File(Entry),
    /// A file that is not selected, with what is known about it.
    Skipped(Entry, Skip),
    /// A folder whose files are not selected, by its path or address: it is not listed.
    Pruned(String, Skip),
    /// A file or folder that cannot be read.
    Failed(Error),
    /// The source of keys itself failed: which files follow is not known, so the scan fails.
    Broken(Error),
}

impl Listed {
    /// A file that was found, to be read or not.
    pub(super) fn chosen(entry: Entry, sieve: &Sieve) -> Self {
        match sieve.skips(&entry.key) {
            Some(skip) => Self::Skipped(entry, skip),
            None => Self::File(entry),
        }
    }
}

/// The files of one source. If it ends without a file to read, that is recorded.
pub(super) struct Source {
    listed: Keys,
    passed: Barren,
    /// `None` if nothing is to be recorded, or once a file or a failure has come.
    seen: Option<Arc<Seen>>,
}

impl Source {
    pub(super) fn new(source: String, listed: Keys, seen: Option<Arc<Seen>>) -> Self {
        Self { listed, passed: Barren { source, ..Barren::default() }, seen }
    }
}

impl Iterator for Source {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        let listed = self.listed.next();
        match &listed {
            Some(Listed::Skipped(_, reason)) => *self.passed.skipped.entry(*reason).or_default() += 1,
            Some(Listed::Pruned(_, reason)) => *self.passed.pruned.entry(*reason).or_default() += 1,
            Some(_) => self.seen = None,
            None => {
                if let Some(seen) = self.seen.take() {
                    seen.note(std::mem::take(&mut self.passed));
                }
            }
        }
        listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn barren(listed: Vec<Listed>) -> Vec<Barren> {
        let seen = Arc::new(Seen::default());
        let mut source = Source::new("logs".to_owned(), Box::new(listed.into_iter()), Some(Arc::clone(&seen)));
        while source.next().is_some() {
            assert!(seen.barren().is_empty(), "it is not at its end");
        }
        assert!(source.next().is_none());
        seen.barren()
    }

    fn entry() -> Entry {
        Entry {
            key: String::new(),
            at: At::Disk(PathBuf::new()),
            size: None,
            etag: None,
            modified: None,
            archived: None,
            first: 0,
            is_planned: false,
        }
    }

    fn skipped() -> Listed {
        Listed::Skipped(entry(), Skip::Name)
    }

    #[test]
    fn a_source_that_gives_no_file_is_noted_once() {
        assert_eq!(barren(Vec::new()), [Barren { source: "logs".to_owned(), ..Barren::default() }]);
        let passed = barren(vec![skipped(), Listed::Pruned("d/".to_owned(), Skip::Digest), skipped()]);
        let (skipped, pruned) = ([(Skip::Name, 2)].into(), [(Skip::Digest, 1)].into());
        assert_eq!(passed, [Barren { source: "logs".to_owned(), skipped, pruned }]);
    }

    #[test]
    fn a_source_that_gives_a_file_or_a_failure_is_not() {
        assert_eq!(barren(vec![skipped(), Listed::File(entry()), skipped()]), []);
        assert_eq!(barren(vec![Listed::Failed(Error::whole(ErrorKind::Bug))]), []);
    }
}
