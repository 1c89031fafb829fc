//! The native half of ctfast: thin classes over `ctfast-core`, no algorithm.

use pyo3::prelude::*;

mod arrow;
mod error;
mod filter;
mod key;
mod scan;

#[pymodule]
mod _ctfast {
    #[pymodule_export]
    use super::key::parse_key;
    #[pymodule_export]
    use super::scan::{Batch, Scan, columns, schema};

    use super::{PyModule, PyModuleMethods, PyResult, Bound};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("DEBUG", cfg!(debug_assertions))
    }
}
