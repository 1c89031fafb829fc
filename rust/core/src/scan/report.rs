//! What a scan did: every file and record is in exactly one of its counts.

use std::collections::BTreeMap;

use crate::bounds::{BAD_FILES, BAD_RECORDS};
use crate::dedupe::Duplicates;
use crate::error::Error;
use crate::source::Skip;
use crate::source::object::Requests;

/// Counts and findings. `files = read + bad + skipped`, and `records = read + bad + filtered + skipped` likewise.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Whether all files were visited.
    pub complete: bool,
    /// Files that were read to their end.
    pub files_read: u64,
    /// Files with damage.
    pub files_bad: u64,
    /// Files that were not read, by reason.
    pub skipped: BTreeMap<Skip, u64>,
    /// Folders that were not listed, by reason; their files are in no count.
    pub pruned: BTreeMap<Skip, u64>,
    /// Records that became rows.
    pub records_read: u64,
    /// Records that are broken.
    pub records_bad: u64,
    /// Records that did not meet the predicate.
    pub records_filtered: u64,
    /// What is not a record of CloudTrail, by reason; and records that were removed as duplicates.
    pub skipped_records: BTreeMap<Skip, u64>,
    /// Duplicates among the records that met the predicate, if they were looked for. Only the scan itself sets this.
    pub duplicates: Option<Duplicates>,
    /// Bytes of the files that were opened, as stored.
    pub bytes_stored: u64,
    /// Bytes of their text.
    pub bytes_inflated: u64,
    /// Bad files and bad records, the first ones of each.
    pub bad: Vec<Finding>,
    /// Warnings, the first ones: what is unusual, but lost nothing.
    pub warnings: Vec<Finding>,
    /// How many further findings are counted but not named.
    pub unnamed: Unnamed,
    /// Values that do not fit their column, by its path.
    pub misfits: BTreeMap<&'static str, u64>,
    /// Requests to buckets, including those of work in progress.
    pub requests: Requests,
}

/// Something found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What, and where.
    pub error: Error,
    /// Records of the file that are whole, whether they met the predicate or not: those before the damage, or all of a
    /// file without damage.
    pub records_kept: u64,
    /// For a bad record: how many later bad records of its file are not named. `None` for a finding about a file.
    pub more: Option<u64>,
}

/// Findings that are counted but not named: a report has room for [`BAD_FILES`], as many warnings, and [`BAD_RECORDS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unnamed {
    /// Bad files.
    pub files: u64,
    /// Bad records, including those counted in `more` of a finding that is not named.
    pub records: u64,
    /// Warnings.
    pub warnings: u64,
    /// How many bad records are named.
    named: u64,
}

impl Report {
    /// Files that were not read.
    #[must_use]
    pub fn files_skipped(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// Counts a skipped file.
    pub fn skip(&mut self, reason: Skip) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    /// Counts a pruned folder.
    pub fn prune(&mut self, reason: Skip) {
        *self.pruned.entry(reason).or_default() += 1;
    }

    /// Counts a bad file, and names it if there is room.
    pub fn add_bad_file(&mut self, finding: Finding) {
        self.files_bad += 1;
        self.name_bad_file(finding);
    }

    fn name_bad_file(&mut self, finding: Finding) {
        if (self.bad.len() as u64) < self.unnamed.named + BAD_FILES {
            self.bad.push(finding);
        } else {
            self.unnamed.files += 1;
        }
    }

    /// Names a bad record, which is counted already, if there is room.
    pub(crate) fn add_bad_record(&mut self, finding: Finding) {
        if self.unnamed.named < BAD_RECORDS {
            self.unnamed.named += 1;
            self.bad.push(finding);
        } else {
            self.unnamed.records += 1 + finding.more.unwrap_or_default();
        }
    }

    /// Names a warning, if there is room.
    pub(crate) fn add_warning(&mut self, finding: Finding) {
        if (self.warnings.len() as u64) < BAD_FILES {
            self.warnings.push(finding);
        } else {
            self.unnamed.warnings += 1;
        }
    }

    /// Adds a later report.
    pub fn add(&mut self, next: Self) {
        self.files_read += next.files_read;
        self.files_bad += next.files_bad;
        self.records_read += next.records_read;
        self.records_bad += next.records_bad;
        self.records_filtered += next.records_filtered;
        self.bytes_stored += next.bytes_stored;
        self.bytes_inflated += next.bytes_inflated;
        for finding in next.bad {
            if finding.more.is_some() {
                self.add_bad_record(finding);
            } else {
                self.name_bad_file(finding);
            }
        }
        for finding in next.warnings {
            self.add_warning(finding);
        }
        self.unnamed.files += next.unnamed.files;
        self.unnamed.records += next.unnamed.records;
        self.unnamed.warnings += next.unnamed.warnings;
        for (reason, count) in next.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        for (reason, count) in next.skipped_records {
            *self.skipped_records.entry(reason).or_default() += count;
        }
        for (reason, count) in next.pruned {
            *self.pruned.entry(reason).or_default() += count;
        }
        for (path, count) in next.misfits {
            *self.misfits.entry(path).or_default() += count;
        }
    }
}
