//! The hash, sizes and layout of a file, which are compared with what a digest lists.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::hash::{Pieces, Sha256, sha256};

use super::named::{Search, names_calls};

/// What a file contains, and how it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// SHA-256 of the inflated text.
    pub sha256: Sha256,
    /// Bytes of the file.
    pub stored: u64,
    /// Bytes of the text.
    pub inflated: u64,
    /// Gzip members.
    pub members: u32,
    /// Bytes after the last member.
    pub trailing: u64,
    /// Whether the text names a call that shows when a trail began.
    pub(crate) names_calls: bool,
}

impl Content {
    /// The content of a file with this text.
    pub(crate) fn of(text: &[u8], stored: u64, members: u32) -> Self {
        let names_calls = names_calls(text);
        Self { sha256: sha256(text), stored, inflated: text.len() as u64, members, trailing: 0, names_calls }
    }
}

/// The content of a text that comes in pieces.
pub(crate) struct Running {
    hash: Pieces,
    inflated: u64,
    calls: Search,
}

impl Running {
    pub(crate) fn new() -> Self {
        Self { hash: Pieces::new(), inflated: 0, calls: Search::default() }
    }

    /// Adds the next piece.
    pub(crate) fn update(&mut self, text: &[u8]) {
        self.hash.update(text);
        self.inflated += text.len() as u64;
        self.calls.update(text);
    }

    /// The content of the whole text.
    pub(crate) fn content(self, stored: u64, members: u32, trailing: u64) -> Content {
        let (sha256, names_calls) = (self.hash.finish(), self.calls.is_found());
        Content { sha256, stored, inflated: self.inflated, members, trailing, names_calls }
    }
}

/// The hashes of files that a scan reads, so that a verification need not read them again.
/// Paths are kept as 64-bit hashes with a random key, so that nobody can construct a collision.
#[derive(Default)]
pub struct Hashes {
    contents: Mutex<HashMap<u64, Content>>,
    keys: RandomState,
}

impl std::fmt::Debug for Hashes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hashes of {} files", self.len())
    }
}

impl Hashes {
    /// Records the content of a file.
    pub(crate) fn put(&self, path: &Path, content: Content) {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner).insert(self.keys.hash_one(path), content);
    }

    /// The content of a file when it was read.
    pub(crate) fn get(&self, path: &Path) -> Option<Content> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner).get(&self.keys.hash_one(path)).copied()
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all files.
    pub fn clear(&self) {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
