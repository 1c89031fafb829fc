//! `Remote`: access to buckets, shared by the scans and listings of one run, as a Python object.

use std::collections::BTreeMap;
use std::sync::Arc;

use ctfast_core::source::object::{self, AwsCredential, Renew};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Why no bucket can have this name; None if one can.
#[pyfunction]
pub(crate) fn check_bucket(name: &str) -> Option<&'static str> {
    object::check_bucket(name).err()
}

/// The message without what looks like a secret, short, and on one line.
#[pyfunction]
pub(crate) fn without_secrets(words: &str) -> String {
    object::without_secrets(words)
}

/// Connections, credentials and pace. `close` cancels running requests.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Remote {
    pub(crate) remote: Arc<object::Remote>,
    /// Whether it ends with the first scan that uses it.
    pub(crate) is_for_one: bool,
}

#[pymethods]
impl Remote {
    /// `credentials` is a function that returns key, secret and token.
    #[new]
    #[pyo3(signature = (storage_options, credentials=None, *, is_for_one=false))]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 gives dictionaries by value")]
    fn new(
        storage_options: BTreeMap<String, String>,
        credentials: Option<Py<PyAny>>,
        is_for_one: bool,
    ) -> PyResult<Self> {
        let renew = credentials.map(|credentials| -> Arc<Renew> {
            Arc::new(move || {
                Python::attach(|py| {
                    let (key_id, secret_key, token) = credentials.bind(py).call0()?.extract()?;
                    Ok(AwsCredential { key_id, secret_key, token })
                })
                .map_err(|error: PyErr| Python::attach(|py| error.value(py).to_string()))
            })
        });
        let remote = object::Remote::new(&storage_options, renew).map_err(PyValueError::new_err)?;
        Ok(Self { remote: Arc::new(remote), is_for_one })
    }

    /// The requests so far: listings, objects, retries, and answers that asked to slow down.
    fn requests(&self) -> (u64, u64, u64, u64) {
        let object::Requests { lists, gets, retries, throttled } = self.remote.requests();
        (lists, gets, retries, throttled)
    }

    /// Cancels all requests.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.remote.close());
    }
}
