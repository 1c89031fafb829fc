//! Files of the local disk, listed lazily and in key order.

use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{At, Entry, Links, Listed, Selection, Skip, Way, path_text};
use crate::error::{Error, ErrorKind};

/// Endings of the names that are read from a folder; other files lie there for other reasons.
const ENDINGS: &[&str] = &[".json", ".jsonl", ".ndjson", ".log"];
const COMPRESSED: &str = ".gz";
/// What may be compressed, and is no log.
const TABLE: &str = ".csv";

/// Walks through files and folders. Each folder is listed when the walk comes to it, in the order that S3 lists its keys in.
pub struct Listing {
    selection: Selection,
    /// What is still to visit, the next one last.
    ahead: Vec<Visit>,
    /// Of the folder that the user named last.
    links: Links,
}

enum Visit {
    /// Named by the user: read, whatever its name ends in.
    Named(PathBuf),
    File(PathBuf),
    Folder(PathBuf, Way),
    /// A folder, in one that the walk has come to so.
    Found {
        path: PathBuf,
        is_link: bool,
        came: Way,
    },
    Pruned(PathBuf, Skip),
}

impl Listing {
    /// Walks through these files and folders, in this order.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>, selection: Selection) -> Self {
        Self { selection, ahead: paths.into_iter().rev().map(Visit::Named).collect(), links: Links::default() }
    }

    fn file(&self, path: PathBuf, metadata: &Metadata) -> Listed {
        Listed::chosen(entry(path, Some(metadata)), &self.selection)
    }

    fn folder(&mut self, path: &Path, came: Way) -> io::Result<()> {
        let mut found = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = entry.file_type();
            let is_folder = kind.as_ref().is_ok_and(|kind| is_folder(*kind, &entry.path()));
            let is_link = kind.is_ok_and(|kind| kind.is_symlink());
            let mut order = entry.file_name().into_encoded_bytes();
            if is_folder {
                order.push(b'/');
            }
            found.push((order, entry.path(), is_folder, is_link));
        }
        found.sort_unstable_by(|one, other| other.0.cmp(&one.0));
        for (_, path, is_folder, is_link) in found {
            if is_folder && self.selection.seen.is_some() {
                self.selection.see_folder(&path_text(&path));
            }
            self.ahead.push(match is_folder.then(|| self.selection.skips_folder(&path_text(&path))) {
                None => Visit::File(path),
                Some(None) => Visit::Found { path, is_link, came },
                Some(Some(skip)) => Visit::Pruned(path, skip),
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
                Visit::Pruned(path, skip) => return Some(pruned(&path, skip)),
                // What it is need not be asked.
                Visit::File(path) if !has_log_ending(&path) => return Some(Listed::Skipped(entry(path, None), Skip::Name)),
                Visit::File(ref path) | Visit::Named(ref path) => match fs::metadata(path) {
                    Ok(metadata) if metadata.is_dir() && matches!(visit, Visit::Named(_)) => {
                        self.links = Links::below(path);
                        self.ahead.push(Visit::Folder(path.clone(), Way::Straight));
                        continue;
                    }
                    // A pipe that the user names is read; one that lies in a folder would be waited for.
                    Ok(metadata) if !metadata.is_file() && matches!(visit, Visit::File(_)) => {
                        Err(io::Error::other("not a regular file"))
                    }
                    Ok(metadata) => return Some(self.file(path.clone(), &metadata)),
                    Err(error) => Err(error),
                },
                // In the order of the walk, so that the first of several ways to a folder is the one that is taken.
                Visit::Found { path, is_link, came } => match self.links.enter(&path, is_link, came) {
                    Some(way) => {
                        self.ahead.push(Visit::Folder(path, way));
                        continue;
                    }
                    None => return Some(pruned(&path, Skip::Linked)),
                },
                Visit::Folder(ref path, came) => self.folder(path, came),
            };
            if let (Err(error), Visit::File(path) | Visit::Folder(path, _) | Visit::Named(path)) = (result, visit) {
                return Some(Listed::Failed(unreadable(&error).in_file(&path_text(&path))));
            }
        }
    }
}

/// A file, with what the operating system says of it if that was asked.
fn entry(path: PathBuf, metadata: Option<&Metadata>) -> Entry {
    Entry {
        key: path_text(&path),
        at: At::Disk(path),
        size: metadata.map(Metadata::len),
        etag: None,
        modified: metadata.and_then(|metadata| metadata.modified().ok()).and_then(micros),
        first: 0,
    }
}

/// A folder that is not listed; its path ends as the address of one in a bucket does.
fn pruned(path: &Path, reason: Skip) -> Listed {
    Listed::Pruned(format!("{}/", path_text(path)), reason)
}

/// Microseconds since 1970.
fn micros(time: SystemTime) -> Option<i64> {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).ok(),
        Err(before) => i64::try_from(before.duration().as_micros()).ok().map(|micros| -micros),
    }
}

/// A symbolic link to a folder counts as a folder; whether it is walked through, [`Links`] tells.
pub(crate) fn is_folder(kind: FileType, path: &Path) -> bool {
    if kind.is_symlink() { path.is_dir() } else { kind.is_dir() }
}

/// Whether this is what macOS keeps beside a file on other file systems: `._NAME` beside NAME.
pub(crate) fn is_apple_double(path: &Path) -> bool {
    path.file_name().unwrap_or_default().as_encoded_bytes().starts_with(b"._")
}

/// Whether a file in a folder is read, by its name, in whatever case.
#[must_use]
pub fn has_log_ending(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let is_log = match without(name, COMPRESSED) {
        Some(name) => without(name, TABLE).is_none(),
        None => ENDINGS.iter().any(|ending| without(name, ending).is_some()),
    };
    is_log && !is_apple_double(path)
}

/// A name without this ending, if it has it.
fn without<'a>(name: &'a [u8], ending: &str) -> Option<&'a [u8]> {
    let (stem, last) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
    last.eq_ignore_ascii_case(ending.as_bytes()).then_some(stem)
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
