//! One folder at a time, for callers that walk through an archive: its entries, and whether a file exists.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Storage;
use crate::error::{Error, ErrorKind};
use crate::source::{is_folder, unreadable};

impl Storage {
    /// This storage, for an archive in these folders.
    pub(crate) fn below<'a>(self, roots: impl Iterator<Item = &'a Path>) -> Self {
        Self { roots: roots.filter_map(|root| fs::canonicalize(root).ok()).collect(), ..self }
    }

    /// Whether each file has a latency, however small it is.
    pub(crate) fn is_far(&self) -> bool {
        self.remote.is_some()
    }

    /// The entries of a folder, in order, and whether each is a folder.
    pub(crate) fn folder(&self, folder: &Path) -> Result<Vec<(PathBuf, bool)>, Error> {
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

    /// Whether a link leads to a folder that is not walked already: a circle of links would have no end.
    fn leads_on(&self, link: &Path) -> bool {
        let Ok(target) = fs::canonicalize(link) else { return false };
        let is_passed = |folder: &Path| {
            let Ok(whole) = fs::canonicalize(folder) else { return false };
            whole.starts_with(&target) || (folder.is_symlink() && target.starts_with(&whole))
        };
        !self.roots.iter().any(|root| target.starts_with(root)) && !link.ancestors().skip(1).any(is_passed)
    }

    /// Fails if a folder of a bucket is empty, or cannot be listed.
    pub(crate) fn must_have(&self, folder: &Path) -> Result<(), Error> {
        let Some((_, address)) = self.remote(folder) else { return Ok(()) };
        let is_empty = self.folder(folder)?.is_empty();
        if is_empty { Err(Error::whole(ErrorKind::NotFound).in_file(address)) } else { Ok(()) }
    }

    /// Whether this file exists. If a bucket does not answer, it counts as missing.
    pub(crate) fn has_file(&self, path: &Path) -> bool {
        self.remote(path).map_or_else(|| path.is_file(), |(remote, address)| remote.has(address).unwrap_or(false))
    }
}
