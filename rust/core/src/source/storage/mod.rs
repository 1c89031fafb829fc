//! Files on the disk and objects in buckets: [`Storage`] lists, opens and writes them.
//!
//! All that this package puts on a disk goes through [`Storage::put`]. Nothing writes to buckets, so nothing here does.

mod body;
mod folder;
mod new_file;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use body::{Body, is_whole};
pub use new_file::{Existing, NewFile, make_folders, remove_leftovers};

use super::listed::Source;
use super::object::{Remote, is_address};
use super::{Entry, Keys, Listed, Listing, Sieve, path_of, path_text, unreadable};
use crate::bounds::STORED_WHOLE;
use crate::error::{Error, ErrorKind, Refusal};

/// Where files lie: addresses in buckets, paths on the disk.
#[derive(Debug, Clone, Default)]
pub struct Storage {
    /// Without it, all sources are paths.
    remote: Option<Arc<Remote>>,
    /// The folders of an archive on disk, with links resolved.
    roots: Vec<PathBuf>,
}

/// A file named by the user: its path or address, and what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Path or address.
    pub source: PathBuf,
    /// Bytes.
    pub size: Option<u64>,
    /// The `ETag` of its version, as the store gave it.
    pub etag: Option<String>,
    /// Index of its first record to read.
    pub first: u64,
}

/// A file that is open.
pub(crate) struct Opened<'a> {
    pub(crate) body: Body<'a>,
    /// Its user metadata, which only objects have.
    pub(crate) metadata: Option<Vec<(String, String)>>,
}

impl Storage {
    /// The disk, and the buckets that this connection reaches.
    #[must_use]
    pub fn new(remote: Option<Arc<Remote>>) -> Self {
        Self { remote, roots: Vec::new() }
    }

    /// The connection and the address, if this is an address in a bucket.
    fn remote<'a>(&self, path: &'a Path) -> Option<(&Remote, &'a str)> {
        let address = path.to_str().filter(|_| is_address(path))?;
        Some((self.remote.as_deref()?, address))
    }

    /// The files of these sources (folders, prefixes or files), in this order.
    #[must_use]
    pub fn list(&self, sources: Vec<PathBuf>, sieve: Sieve) -> Keys {
        let this = self.clone();
        Box::new(sources.into_iter().flat_map(move |source| {
            let text = path_text(&source);
            let listed: Keys = match this.remote(&source) {
                Some((remote, address)) => remote.keys(address, &sieve),
                None => Box::new(Listing::new(vec![source], sieve.clone())),
            };
            Source::new(text, listed, sieve.seen.clone())
        }))
    }

    /// Files that are named one by one. No folder of a bucket is listed.
    #[must_use]
    pub fn named(&self, files: Vec<Named>, sieve: Sieve) -> Keys {
        let this = self.clone();
        Box::new(files.into_iter().flat_map(move |Named { source, size, etag, first }| -> Keys {
            let Some((remote, address)) = this.remote(&source) else {
                let from_first = move |listed| match listed {
                    Listed::File(entry) => Listed::File(Entry { first, ..entry }),
                    other => other,
                };
                return Box::new(Listing::new(vec![path_of(&source).into_owned()], sieve.clone()).map(from_first));
            };
            let entry = Entry { size, etag, first, ..remote.entry(address.to_owned()) };
            Box::new(std::iter::once(Listed::chosen(entry, &sieve)))
        }))
    }

    /// Opens a file of unknown size; `None` if it does not exist. It may be read into this memory.
    pub(crate) fn open<'a>(&self, path: &Path, memory: &'a mut Vec<u8>) -> Result<Option<Opened<'a>>, Error> {
        let Some((remote, address)) = self.remote(path) else {
            return match Body::of_file(path, None, memory) {
                Ok(body) => Ok(Some(Opened { body, metadata: None })),
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                    Ok(None)
                }
                Err(error) => Err(unreadable(&error)),
            };
        };
        let bucket = remote.bucket_of(address);
        match remote.fetch(&bucket, address, STORED_WHOLE) {
            Ok((got, metadata)) => {
                let body = Body::of_object(&bucket, address, got, None, memory);
                Ok(Some(Opened { body, metadata: Some(metadata) }))
            }
            Err(error) if matches!(error.kind(), ErrorKind::Store(Refusal::NoSuchKey, _)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Starts a file on disk, which gets its name once it is finished.
    pub fn put(path: &Path, existing: Existing) -> io::Result<NewFile> {
        NewFile::create(path, existing)
    }
}
