//! Files on the local disk, listed lazily and in key order.

use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{At, Entry, Links, Listed, Sieve, Skip, Way, path_text};
use crate::error::{Error, ErrorKind};

/// Suffixes of the files that are read in a folder; other files there are not logs.
const ENDINGS: &[&str] = &[".json", ".jsonl", ".ndjson", ".log"];
const COMPRESSED: &str = ".gz";
/// The suffix of tables, which may be compressed and are not logs.
const TABLE: &str = ".csv";

/// Walks files and folders. Each folder is listed when the walk reaches it, in the order in which S3 lists keys.
pub struct Listing {
    sieve: Sieve,
    /// Paths still to visit, the next one last.
    ahead: Vec<Visit>,
    /// Links below the folder that the user named last.
    links: Links,
}

enum Visit {
    /// Named by the user: read, whatever its suffix.
    Named(PathBuf),
    File(PathBuf),
    Folder(PathBuf, Way),
    /// A folder, and how the walk reached its parent.
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
    pub fn new(paths: Vec<PathBuf>, sieve: impl Into<Sieve>) -> Self {
        Self {
            sieve: sieve.into(),
            ahead: paths.into_iter().rev().map(Visit::Named).collect(),
            links: Links::default(),
        }
    }

    fn file(&self, path: PathBuf, metadata: &Metadata) -> Listed {
        Listed::chosen(entry(path, Some(metadata)), &self.sieve)
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
            if is_folder && self.sieve.seen.is_some() {
                self.sieve.see_folder(&path_text(&path));
            }
            self.ahead.push(match is_folder.then(|| self.sieve.skips_folder(&path_text(&path))) {
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
                // The name decides; metadata is not needed.
                Visit::File(path) if !has_log_ending(&path) => {
                    return Some(Listed::Skipped(entry(path, None), Skip::Name));
                }
                Visit::File(ref path) | Visit::Named(ref path) => match fs::metadata(path) {
                    Ok(metadata) if metadata.is_dir() && matches!(visit, Visit::Named(_)) => {
                        self.links = Links::below(path);
                        self.ahead.push(Visit::Folder(path.clone(), Way::Straight));
                        continue;
                    }
                    // A pipe that the user names is read; in a folder, reading one would block.
                    Ok(metadata) if !metadata.is_file() && matches!(visit, Visit::File(_)) => {
                        Err(io::Error::other("not a regular file"))
                    }
                    Ok(metadata) => return Some(self.file(path.clone(), &metadata)),
                    Err(error) => Err(error),
                },
                // In the order of the walk, so that the first of several paths to a folder is taken.
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

/// A file, with its size and time if its metadata was read.
fn entry(path: PathBuf, metadata: Option<&Metadata>) -> Entry {
    Entry {
        key: path_text(&path),
        at: At::Disk(path),
        size: metadata.map(Metadata::len),
        etag: None,
        modified: metadata.and_then(|metadata| version_of(metadata).1),
        archived: None,
        first: 0,
        is_planned: false,
    }
}

/// The version of a file: its size, and the time of its last change, in microseconds since 1970.
pub(crate) fn version_of(metadata: &Metadata) -> (Option<u64>, Option<i64>) {
    (Some(metadata.len()), metadata.modified().ok().and_then(micros))
}

/// A folder that is not listed; its path ends in a slash, as the address of a folder in a bucket does.
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

/// A symbolic link to a folder counts as a folder; [`Links`] decides whether it is walked.
pub(crate) fn is_folder(kind: FileType, path: &Path) -> bool {
    if kind.is_symlink() { path.is_dir() } else { kind.is_dir() }
}

/// Whether this is a file in which macOS keeps the metadata of another file: `._NAME` next to NAME.
pub(crate) fn is_apple_double(path: &Path) -> bool {
    path.file_name().unwrap_or_default().as_encoded_bytes().starts_with(b"._")
}

/// Whether a file in a folder is read, by its name, in any case of letters.
#[must_use]
pub fn has_log_ending(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let is_log = match without(name, COMPRESSED) {
        Some(name) => without(name, TABLE).is_none(),
        None => ENDINGS.iter().any(|ending| without(name, ending).is_some()),
    };
    is_log && !is_apple_double(path)
}

/// Whether a file is compressed, by its name.
pub(super) fn has_gzip_ending(path: &Path) -> bool {
    without(path.as_os_str().as_encoded_bytes(), COMPRESSED).is_some()
}

/// The name without this suffix, if it has it.
fn without<'a>(name: &'a [u8], ending: &str) -> Option<&'a [u8]> {
    let (stem, last) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
    last.eq_ignore_ascii_case(ending.as_bytes()).then_some(stem)
}

/// An error of the operating system while a file was read.
pub(crate) fn unreadable(error: &io::Error) -> Error {
    Error::whole(ErrorKind::Unreadable(words(error)))
}

/// An error of the operating system while a file was written.
pub(crate) fn unwritable(error: &io::Error) -> Error {
    Error::whole(ErrorKind::Unwritable(words(error)))
}

/// The message of the operating system, without the number that Rust adds.
#[must_use]
pub fn words(error: &io::Error) -> String {
    let words = error.to_string();
    words.split_once(" (os error").map_or(words.as_str(), |(words, _)| words).to_owned()
}

#[cfg(test)]
mod tests;
