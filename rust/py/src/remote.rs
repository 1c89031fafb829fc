//! `Remote`: the way to buckets, shared by the scans and listings of one run, as an object of Python.

use std::collections::BTreeMap;
use std::sync::Arc;

use ctfast_core::source::object;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Connections, credentials and pace. `close` cancels what is under way.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Remote(pub(crate) Arc<object::Remote>);

impl Remote {
    /// The only place that makes one.
    pub(crate) fn make(options: &BTreeMap<String, String>) -> PyResult<object::Remote> {
        object::Remote::new(options, None).map_err(PyValueError::new_err)
    }
}

#[pymethods]
impl Remote {
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 gives dictionaries by value")]
    fn new(storage_options: BTreeMap<String, String>) -> PyResult<Self> {
        Ok(Self(Arc::new(Self::make(&storage_options)?)))
    }

    /// Requests so far: listings, objects, those made again, answers that asked to slow down.
    fn requests(&self) -> (u64, u64, u64, u64) {
        let object::Requests { lists, gets, retries, throttled } = self.0.requests();
        (lists, gets, retries, throttled)
    }

    /// Cancels all requests.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.0.close());
    }
}
