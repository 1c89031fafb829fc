//! The files and folders of an archive, on the disk or in buckets.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Refusal};
use crate::source::object::{Got, Remote};
use crate::source::{is_folder, unreadable};

/// Where files are looked for: addresses in buckets, paths on the disk.
#[derive(Clone, Default)]
pub(crate) struct Storage {
    remote: Option<Arc<Remote>>,
    /// The folders of the archive on the disk, as they are without links.
    roots: Vec<PathBuf>,
}

/// A file that is open.
pub(crate) struct Opened {
    /// Its bytes.
    pub(crate) file: Box<dyn Read>,
    /// What is written down about it beside its content: only objects have such.
    pub(crate) metadata: Option<Vec<(String, String)>>,
}

/// Why a file is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// There is no such file.
    Missing,
    /// It is not gzip: it starts with this byte.
    NotGzip(u8),
    /// It is damaged, or cannot be read.
    Bad(Error),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Bad(error)
    }
}

impl Storage {
    pub(crate) fn new(remote: Option<Arc<Remote>>) -> Self {
        Self { remote, roots: Vec::new() }
    }

    /// The same, for an archive that lies in these folders.
    pub(crate) fn below<'a>(self, roots: impl Iterator<Item = &'a Path>) -> Self {
        Self { roots: roots.filter_map(|root| fs::canonicalize(root).ok()).collect(), ..self }
    }

    /// Whether each file takes a while to come, however small it is.
    pub(crate) fn is_far(&self) -> bool {
        self.remote.is_some()
    }

    fn remote<'a>(&self, path: &'a Path) -> Option<(&Remote, &'a str)> {
        let address = path.to_str().filter(|_| crate::source::object::is_address(path))?;
        Some((self.remote.as_deref()?, address))
    }

    /// The files and folders of a folder, in order, and whether they are folders.
    pub(crate) fn list(&self, folder: &Path) -> Result<Vec<(PathBuf, bool)>, Error> {
        let mut found = match self.remote(folder) {
            Some((remote, address)) => {
                let (folders, objects) = remote.look_into(address)?;
                let folders = folders.into_iter().map(|folder| (PathBuf::from(folder.trim_end_matches('/')), true));
                folders.chain(objects.into_iter().map(|object| (PathBuf::from(object), false))).collect()
            }
            None => self.on_disk(folder).map_err(|error| unreadable(&error))?,
        };
        found.sort_unstable_by(|one, other| one.0.as_os_str().cmp(other.0.as_os_str()));
        Ok(found)
    }

    fn on_disk(&self, folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            let is_folder = is_folder(kind, &path);
            if !(is_folder && kind.is_symlink()) || self.leads_on(&path) {
                found.push((path, is_folder));
            }
        }
        Ok(found)
    }

    /// Whether a link to a folder leads to where the archive is not looked through already: links in a circle would have no end.
    fn leads_on(&self, link: &Path) -> bool {
        let Ok(target) = fs::canonicalize(link) else { return false };
        let is_passed = |folder: &Path| {
            let Ok(whole) = fs::canonicalize(folder) else { return false };
            whole.starts_with(&target) || (folder.is_symlink() && target.starts_with(&whole))
        };
        !self.roots.iter().any(|root| target.starts_with(root)) && !link.ancestors().skip(1).any(is_passed)
    }

    /// Fails where a folder of a bucket has nothing in it, or the bucket does not tell.
    pub(crate) fn must_have(&self, folder: &Path) -> Result<(), Error> {
        let Some((_, address)) = self.remote(folder) else { return Ok(()) };
        let is_empty = self.list(folder)?.is_empty();
        if is_empty { Err(Error::whole(ErrorKind::NotFound).in_file(address)) } else { Ok(()) }
    }

    /// Whether there is such a file. Where a bucket does not tell, there is none that anybody has seen.
    pub(crate) fn has_file(&self, path: &Path) -> bool {
        self.remote(path).map_or_else(|| path.is_file(), |(remote, address)| remote.has(address).unwrap_or(false))
    }

    /// Opens a file; those of no more than so many bytes come at once.
    pub(crate) fn open(&self, path: &Path, most: u64) -> Result<Opened, Unread> {
        let Some((remote, address)) = self.remote(path) else {
            return match File::open(path) {
                Ok(file) => Ok(Opened { file: Box::new(file), metadata: None }),
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                    Err(Unread::Missing)
                }
                Err(error) => Err(Unread::Bad(unreadable(&error))),
            };
        };
        match remote.fetch(address, most) {
            Ok((Got::Whole(bytes), metadata)) => Ok(Opened { file: Box::new(Cursor::new(bytes)), metadata: Some(metadata) }),
            Ok((Got::Large(size), metadata)) => {
                Ok(Opened { file: Box::new(remote.read(address, size)), metadata: Some(metadata) })
            }
            Err(error) if matches!(error.kind(), ErrorKind::Store(Refusal::NoSuchKey, _)) => Err(Unread::Missing),
            Err(error) => Err(Unread::Bad(error)),
        }
    }
}
