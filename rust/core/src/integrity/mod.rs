//! Proves that an archive is complete and unaltered, with the digest files that CloudTrail signs.
//!
//! [`Verify`] walks through the places of an archive (account × region), and in each along its chains of digests, from
//! the oldest to the newest. [`Verify::step`] does a bounded part of the work and returns its findings as values: it
//! neither prints nor fails. Flow: `archive` (which files exist) → `hasher` (files to values) → `check` (one file
//! alone) → `chain` (order, links, verdicts) → `walk` (what is known of one place) → `place` (the steps of a walk:
//! windows, log files; `before` the range, at its `end`) → `verify` (all places). `finding` defines the findings,
//! `output` the result of a step; `rows` turns it into Arrow, `files` into rows of the ledger.

mod archive;
mod before;
mod calls;
mod chain;
mod check;
mod cover;
mod days;
mod end;
mod files;
mod finding;
mod hasher;
mod missing;
mod node;
mod output;
mod place;
mod plan;
mod reason;
mod rows;
mod saved;
mod stretches;
#[cfg(any(test, feature = "fuzzing"))]
mod times;
mod told;
mod unlisted;
mod verify;
mod walk;
mod workers;

pub use archive::{Places, Root};
pub use finding::{
    DigestRow, Finding, LogRow, MissingRow, Range, Reason, Severity, Span, State, Status, UnlistedRow, UsedKey, What,
};
pub use output::{Counts, Output, Progress};
pub use plan::Plan;
#[cfg(any(test, feature = "fuzzing"))]
pub use times::walk_of_times;
pub use verify::Verify;
