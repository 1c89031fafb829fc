//! The native half of ctfast: thin classes over `ctfast-core`, no algorithm.

use pyo3::prelude::*;

mod arrow;
mod copy;
mod digest;
mod error;
mod filter;
mod floor;
mod integrity;
mod key;
mod ledger;
mod listing;
mod needle;
mod patience;
mod plan;
mod remote;
mod scan;
mod split;
mod sql;
mod storage;
mod told;

#[pymodule]
mod _ctfast {
    #[pymodule_export]
    use super::arrow::Batch;
    #[pymodule_export]
    use super::copy::Copy;
    #[pymodule_export]
    use super::digest::Hashes;
    #[pymodule_export]
    use super::filter::{Filter, advanced_event_selectors, lint, nearest, partition};
    #[pymodule_export]
    use super::floor::floor;
    #[pymodule_export]
    use super::integrity::Verify;
    #[pymodule_export]
    use super::key::{Paths, has_log_ending, parse_key};
    #[pymodule_export]
    use super::ledger::Ledger;
    #[pymodule_export]
    use super::listing::{Listing, Seen};
    #[pymodule_export]
    use super::needle::{Filters, file_of_filters, filter_of};
    #[pymodule_export]
    use super::plan::{Query, Run, Selection};
    #[pymodule_export]
    use super::remote::{Remote, check_bucket, without_secrets};
    #[pymodule_export]
    use super::scan::{Dedupe, Keys, Scan, columns, keys_without, repeated, schema, sorted_keys};
    #[pymodule_export]
    use super::split::{Planner, split_facts};
    #[pymodule_export]
    use super::sql::refused;
    #[pymodule_export]
    use super::storage::{NewFile, make_folders, remove_leftovers};

    use ctfast_core::bounds::{BAD_FILES, BAD_RECORDS, LEDGER_ROWS};
    use ctfast_core::source::object::option_names;

    use super::{Bound, PyModule, PyModuleMethods, PyResult};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("LEDGER_ROWS", LEDGER_ROWS)?;
        module.add("NAMED_FILES", BAD_FILES)?;
        module.add("NAMED_RECORDS", BAD_RECORDS)?;
        module.add("STORAGE_OPTIONS", option_names().collect::<Vec<_>>())?;
        module.add("DEBUG", cfg!(debug_assertions))
    }
}
