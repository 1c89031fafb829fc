//! Proves that an archive is complete and unaltered, by the digest files that CloudTrail signs.
//!
//! [`Verify`] walks through the places of an archive (account × region), and in each through its chains of digests, from the oldest
//! to the newest. [`Verify::step`] does a bounded part of the work and returns what it found, as values: it neither prints nor fails.
//! Flow: `archive` (what lies where) → `hasher` (files to values) → `check` (one file alone) → `chain` (order, links, verdicts)
//! → `place` (windows, log files; `before` the range, at the `end` of it) → `verify` (all places). The findings are values of `finding`;
//! `output` holds what a step gives, `rows` makes Arrow of it.

mod archive;
mod before;
mod calls;
mod chain;
mod check;
mod cover;
mod days;
mod end;
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
mod storage;
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
