//! The native half of ctfast: thin classes over `ctfast-core`, no algorithm.

use pyo3::prelude::*;

mod arrow;
mod copy;
mod digest;
mod error;
mod filter;
mod integrity;
mod key;
mod ledger;
mod listing;
mod patience;
mod remote;
mod scan;
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
    use super::filter::{
        Filter, advanced_event_selectors, lint_event_pattern, lint_event_selectors, lint_filter_pattern, partition,
    };
    #[pymodule_export]
    use super::integrity::Verify;
    #[pymodule_export]
    use super::key::{Paths, has_log_ending, parse_key};
    #[pymodule_export]
    use super::ledger::Ledger;
    #[pymodule_export]
    use super::listing::{Listing, Seen};
    #[pymodule_export]
    use super::remote::{Remote, check_bucket, without_secrets};
    #[pymodule_export]
    use super::scan::{Dedupe, Scan, Sizes, columns, schema};
    #[pymodule_export]
    use super::sql::refused;
    #[pymodule_export]
    use super::storage::{NewFile, make_folders, remove_leftovers};

    use ctfast_core::bounds::{BAD_FILES, BAD_RECORDS};
    use ctfast_core::source::object::option_names;

    use super::{Bound, PyModule, PyModuleMethods, PyResult};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("NAMED_FILES", BAD_FILES)?;
        module.add("NAMED_RECORDS", BAD_RECORDS)?;
        module.add("STORAGE_OPTIONS", option_names().collect::<Vec<_>>())?;
        module.add("DEBUG", cfg!(debug_assertions))
    }
}
