//! Reports about files and skipped ones, as Python receives them.

use std::collections::BTreeMap;

use ctfast_core::error::Location;
use ctfast_core::scan::Finding;
use ctfast_core::source::Skip;

pub(crate) fn by_name(counts: &BTreeMap<Skip, u64>) -> BTreeMap<&'static str, u64> {
    counts.iter().map(|(reason, count)| (reason.name(), *count)).collect()
}

pub(crate) type Row = (Option<String>, Option<u64>, Option<u64>, &'static str, String, u64);

pub(crate) fn row(finding: &Finding) -> Row {
    let Location { key, byte, record, .. } = finding.error.location();
    let kind = finding.error.kind();
    (key.clone(), *byte, *record, kind.name(), kind.to_string(), finding.records_kept)
}
