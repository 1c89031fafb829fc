//! Files of the local disk, listed lazily and in key order.

use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{At, Entry, Listed, Selection, Skip};
use crate::error::{Error, ErrorKind};

/// Endings of the names that are read from a folder; other files lie there for other reasons.
const ENDINGS: &[&str] = &[".json", ".jsonl", ".ndjson", ".log"];

/// Walks through files and folders. Each folder is listed when the walk comes to it, in the order that S3 lists its keys in.
pub struct Listing {
    selection: Selection,
    /// What is still to visit, the next one last.
    ahead: Vec<Visit>,
}

enum Visit {
    /// Named by the user: read, whatever its name ends in.
    Named(PathBuf),
    File(PathBuf),
    Folder(PathBuf),
    Pruned(Skip),
}

impl Listing {
    /// Walks through these files and folders, in this order.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>, selection: Selection) -> Self {
        Self { selection, ahead: paths.into_iter().rev().map(Visit::Named).collect() }
    }

    fn file(&self, path: PathBuf, metadata: &Metadata) -> Listed {
        let key = path.to_string_lossy().into_owned();
        match self.selection.skips(&key) {
            Some(skip) => Listed::Skipped(skip),
            None => Listed::File(Entry {
                key,
                at: At::Disk(path),
                size: Some(metadata.len()),
                etag: None,
                modified: metadata.modified().ok().and_then(micros),
                first: 0,
            }),
        }
    }

    fn folder(&mut self, path: &Path) -> io::Result<()> {
        let mut found = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let is_folder = entry.file_type().is_ok_and(|kind| is_folder(kind, &entry.path()));
            let mut order = entry.file_name().into_encoded_bytes();
            if is_folder {
                order.push(b'/');
            }
            found.push((order, entry.path(), is_folder));
        }
        found.sort_unstable_by(|one, other| other.0.cmp(&one.0));
        for (_, path, is_folder) in found {
            self.ahead.push(match is_folder.then(|| self.selection.skips_folder(&path.to_string_lossy())) {
                None => Visit::File(path),
                Some(None) => Visit::Folder(path),
                Some(Some(skip)) => Visit::Pruned(skip),
            });
        }
        Ok(())
    }
}

impl Iterator for Listing {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        loop {
            let visit = self.ahead.pop()?;
            let result = match visit {
                Visit::Pruned(skip) => return Some(Listed::Pruned(skip)),
                Visit::File(ref path) if !has_log_ending(path) => return Some(Listed::Skipped(Skip::Name)),
                Visit::File(ref path) | Visit::Named(ref path) => match fs::metadata(path) {
                    // In a folder, only a link that leads back to where it lies is still a folder here.
                    Ok(metadata) if metadata.is_dir() && matches!(visit, Visit::Named(_)) => {
                        self.ahead.push(Visit::Folder(path.clone()));
                        continue;
                    }
                    // A pipe that the user names is read; one that lies in a folder would be waited for.
                    Ok(metadata) if !metadata.is_file() && matches!(visit, Visit::File(_)) => {
                        Err(io::Error::other("not a regular file"))
                    }
                    Ok(metadata) => return Some(self.file(path.clone(), &metadata)),
                    Err(error) => Err(error),
                },
                Visit::Folder(ref path) => self.folder(path),
            };
            if let (Err(error), Visit::File(path) | Visit::Folder(path) | Visit::Named(path)) = (result, visit) {
                return Some(Listed::Failed(unreadable(&error).in_file(&path.to_string_lossy())));
            }
        }
    }
}

/// Microseconds since 1970.
fn micros(time: SystemTime) -> Option<i64> {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).ok(),
        Err(before) => i64::try_from(before.duration().as_micros()).ok().map(|micros| -micros),
    }
}

/// A symbolic link to a folder counts as a folder, unless the path has come through that folder already.
pub(crate) fn is_folder(kind: FileType, path: &Path) -> bool {
    if !kind.is_symlink() {
        return kind.is_dir();
    }
    let Ok(target) = fs::canonicalize(path) else { return false };
    let passed = |folder: &Path| fs::canonicalize(folder).is_ok_and(|folder| folder.starts_with(&target));
    target.is_dir() && !path.ancestors().skip(1).any(passed)
}

/// Whether a file in a folder is read, by the ending of its name.
#[must_use]
pub fn has_log_ending(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let plain = name.strip_suffix(b".gz");
    plain.is_some() || ENDINGS.iter().any(|ending| name.ends_with(ending.as_bytes()))
}

/// What the operating system says of a file that is read.
pub(crate) fn unreadable(error: &io::Error) -> Error {
    Error::whole(ErrorKind::Unreadable(words(error)))
}

/// What it says of one that is written.
pub(crate) fn unwritable(error: &io::Error) -> Error {
    Error::whole(ErrorKind::Unwritable(words(error)))
}

/// The words of the operating system, without the number that Rust adds.
#[must_use]
pub fn words(error: &io::Error) -> String {
    let words = error.to_string();
    words.split_once(" (os error").map_or(words.as_str(), |(words, _)| words).to_owned()
}

#[cfg(test)]
mod tests;
