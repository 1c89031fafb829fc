//! Folders reached by symbolic links: each is walked once, so that a walk ends even if links form a circle.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How a walk reached a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the names of its parent folders, without a link.
    Straight,
    /// By a link: it lies elsewhere.
    Linked,
}

/// The linked folders of one walk, in 16 bytes each. Folders reached without links form a tree and need no memory.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// The root of the walk, with all links resolved.
    root: Option<PathBuf>,
    walked: HashSet<(u64, u64)>,
}

impl Links {
    pub(crate) fn below(root: &Path) -> Self {
        Self { root: fs::canonicalize(root).ok(), walked: HashSet::new() }
    }

    /// How to walk a folder that was found in one reached by `came`; `None` if it is walked under another name.
    pub(crate) fn enter(&mut self, path: &Path, is_link: bool, came: Way) -> Option<Way> {
        if !is_link && came == Way::Straight {
            return Some(Way::Straight);
        }
        if is_link {
            let target = fs::canonicalize(path).ok()?;
            let root = self.root.as_deref()?;
            // The target is walked under its own name, or contains the root of the walk.
            if target.starts_with(root) || root.starts_with(&target) {
                return None;
            }
        }
        let metadata = fs::metadata(path).ok()?;
        self.walked.insert((metadata.dev(), metadata.ino())).then_some(Way::Linked)
    }
}
