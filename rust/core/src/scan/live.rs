//! The live part of a scan, next to its plan: connections and shared state, which cannot be serialised and may serve
//! one scan after another.

use std::collections::HashMap;
use std::sync::Arc;

use crate::dedupe::{Dedupe, Noted};
use crate::digest::Hashes;
use crate::ledger::Ledger;
use crate::source::object::Remote;
use crate::source::{Paths, Seen};

/// What a scan needs besides its plan.
#[derive(Default)]
pub struct Live {
    /// The connection to buckets, if some of the files are in buckets.
    pub remote: Option<Arc<Remote>>,
    /// Whether the connection is shared: then its owner closes it, not the scan.
    pub keeps_remote: bool,
    /// Verified files, if only these are to be read.
    pub files: Option<Arc<Paths>>,
    /// The first day that an earlier run has not finished, by the part of the keys before the day.
    pub floors: Option<Arc<HashMap<String, String>>>,
    /// Where to record the names that a listing finds.
    pub seen: Option<Arc<Seen>>,
    /// Where to record the hashes of the files that are read, for a verification.
    pub hashes: Option<Arc<Hashes>>,
    /// Where to record what became of each file.
    pub ledgers: Vec<Arc<Ledger>>,
    /// Where earlier records are looked up, those of this scan and of previous ones. A query that removes duplicates
    /// creates one if there is none.
    pub dedupe: Option<Arc<Dedupe>>,
    /// Where to record the keys of the rows, for a lake.
    pub keys: Option<Arc<Noted>>,
}
