//! What to verify, and against what.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::digest::{Hashes, Keys, Signatures};
use crate::inflate::Limits;
use crate::source::object::Remote;

use super::archive::{Archive, Place, Places, Root};
use super::node::ChainId;
use super::saved::Named;

/// What to verify, and against what.
pub struct Plan {
    /// The folders.
    pub roots: Vec<Root>,
    /// The public keys.
    pub keys: Keys,
    /// Signatures that were saved from the metadata of the digest objects.
    pub signatures: Signatures,
    /// First moment that must be covered, in microseconds since 1970.
    pub since: Option<i64>,
    /// Last moment that must be covered, in microseconds since 1970.
    pub until: Option<i64>,
    /// Accounts and regions.
    pub places: Places,
    /// Names of trails; `None` for all.
    pub trails: Option<HashSet<String>>,
    /// The current time, in microseconds since 1970: what should exist by now.
    pub now: i64,
    /// How far a file may inflate.
    pub limits: Limits,
    /// Workers.
    pub threads: usize,
    /// Hashes of files that were read already.
    pub hashes: Option<Arc<Hashes>>,
    /// Whether valid files are reported one by one.
    pub details: bool,
    /// Access to the buckets that contain some of the folders.
    pub remote: Option<Arc<Remote>>,
}

/// What all workers share.
pub(super) struct Job {
    pub(super) archive: Archive,
    pub(super) keys: Keys,
    pub(super) signatures: Signatures,
    pub(super) since: Option<i64>,
    pub(super) until: Option<i64>,
    pub(super) trails: Option<HashSet<String>>,
    pub(super) now: i64,
    pub(super) limits: Limits,
    pub(super) hashes: Option<Arc<Hashes>>,
    pub(super) details: bool,
    /// The digests that the saved signatures name, by place.
    pub(super) named: BTreeMap<Place, Named>,
}

impl Job {
    /// Whether a chain is asked for.
    pub(super) fn is_asked(&self, chain: &ChainId) -> bool {
        self.trails.as_ref().is_none_or(|trails| trails.contains(&*chain.trail))
    }
}
