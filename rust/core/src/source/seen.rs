//! What a listing found, selected or not: the existing names, and the sources without a file.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use super::Skip;

/// The most names outside of the selection that are kept, to suggest the name that was probably meant.
pub(super) const OTHERS: usize = 10_000;

/// Accounts, regions and kinds of the files and folders that a listing found, and the sources without a file.
///
/// Selected names are always kept if they exist; of other names the first 10,000.
#[derive(Debug, Default)]
pub struct Seen {
    names: Mutex<[BTreeSet<String>; 3]>,
    barren: Mutex<Vec<Barren>>,
}

/// A source without a file to read: what was skipped in it, by reason; nothing if it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Barren {
    /// The source, as it was named.
    pub source: String,
    /// Files.
    pub skipped: BTreeMap<Skip, u64>,
    /// Folders.
    pub pruned: BTreeMap<Skip, u64>,
}

impl Seen {
    /// The accounts, regions and kinds, in order.
    #[must_use]
    pub fn names(&self) -> [Vec<String>; 3] {
        self.names
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .each_ref()
            .map(|names| names.iter().cloned().collect())
    }

    /// The sources without a file, in the order in which they were named.
    #[must_use]
    pub fn barren(&self) -> Vec<Barren> {
        self.barren.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn note(&self, source: Barren) {
        self.barren.lock().unwrap_or_else(PoisonError::into_inner).push(source);
    }

    pub(super) fn add(&self, found: [(&Option<HashSet<String>>, Option<&str>); 3]) {
        let mut seen = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        for (names, (asked, name)) in seen.iter_mut().zip(found) {
            let Some(name) = name else { continue };
            let is_asked = asked.as_ref().is_some_and(|asked| asked.contains(name));
            if !names.contains(name) && (is_asked || names.len() < OTHERS + asked.as_ref().map_or(0, HashSet::len)) {
                names.insert(name.to_owned());
            }
        }
    }
}
