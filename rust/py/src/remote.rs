//! `Remote`: the way to buckets, shared by the scans and listings of one run, as an object of Python.

use std::collections::BTreeMap;
use std::sync::Arc;

use ctfast_core::source::object::{self, AwsCredential, Renew};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Why no bucket can have this name, in words; None if one can.
#[pyfunction]
pub(crate) fn check_bucket(name: &str) -> Option<&'static str> {
    object::check_bucket(name).err()
}

/// Words of others without what looks like a secret, on one line, and short.
#[pyfunction]
pub(crate) fn without_secrets(words: &str) -> String {
    object::without_secrets(words)
}

/// Connections, credentials and pace. `close` cancels what is under way.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Remote(pub(crate) Arc<object::Remote>);

impl Remote {
    /// The only place that makes one. `credentials` is a function that returns key, secret and token.
    pub(crate) fn make(options: &BTreeMap<String, String>, credentials: Option<Py<PyAny>>) -> PyResult<object::Remote> {
        let renew = credentials.map(|credentials| -> Arc<Renew> {
            Arc::new(move || {
                Python::attach(|py| {
                    let (key_id, secret_key, token) = credentials.bind(py).call0()?.extract()?;
                    Ok(AwsCredential { key_id, secret_key, token })
                })
                .map_err(|error: PyErr| Python::attach(|py| error.value(py).to_string()))
            })
        });
        object::Remote::new(options, renew).map_err(PyValueError::new_err)
    }
}

#[pymethods]
impl Remote {
    #[new]
    #[pyo3(signature = (storage_options, credentials=None))]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 gives dictionaries by value")]
    fn new(storage_options: BTreeMap<String, String>, credentials: Option<Py<PyAny>>) -> PyResult<Self> {
        Ok(Self(Arc::new(Self::make(&storage_options, credentials)?)))
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
