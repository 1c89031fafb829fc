//! Folders that are reached over symbolic links: each is walked once, so that links in a circle, or to each other, end.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How a walk has come to a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the names of the folders it lies in: nothing else leads here.
    Straight,
    /// Over a link: it lies elsewhere.
    Linked,
}

/// The folders of one walk that lie elsewhere, in 16 bytes each; those that are reached straight are a tree, and need no memory.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// The folder that is walked through, as it is without links.
    root: Option<PathBuf>,
    walked: HashSet<(u64, u64)>,
}

impl Links {
    pub(crate) fn below(root: &Path) -> Self {
        Self { root: fs::canonicalize(root).ok(), walked: HashSet::new() }
    }

    /// How to walk through a folder that was found in one that was come to so; `None` where it has its turn elsewhere.
    pub(crate) fn enter(&mut self, path: &Path, is_link: bool, came: Way) -> Option<Way> {
        if !is_link && came == Way::Straight {
            return Some(Way::Straight);
        }
        if is_link {
            let target = fs::canonicalize(path).ok()?;
            let root = self.root.as_deref()?;
            // What it leads to is walked through by its own name, or is around the walk.
            if target.starts_with(root) || root.starts_with(&target) {
                return None;
            }
        }
        let metadata = fs::metadata(path).ok()?;
        self.walked.insert((metadata.dev(), metadata.ino())).then_some(Way::Linked)
    }
}
