//! Limits on the size to which a file may inflate.

use crate::bounds::RECORD;

/// How large a file may become when it is inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes.
    pub inflated: u64,
    /// Multiple of the size of the file, checked once the file has inflated to 1 MiB.
    pub ratio: u64,
}

/// Short text may compress arbitrarily well: it is no larger than one record may be.
pub(super) const RATIO_FROM: u64 = RECORD as u64;

impl Default for Limits {
    /// CloudTrail's own files inflate to 50 MB at most and about 10 times their size; deflate itself reaches at most
    /// 1,032 times.
    fn default() -> Self {
        Self { inflated: 16 << 30, ratio: 250 }
    }
}

impl Limits {
    /// The most bytes to which a file of this stored size may inflate.
    pub(super) fn most(self, stored: u64) -> u64 {
        self.inflated.min(stored.saturating_mul(self.ratio).max(RATIO_FROM))
    }
}
