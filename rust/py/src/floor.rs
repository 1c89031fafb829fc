//! The floor of all speeds.

use std::path::PathBuf;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

/// Reads and inflates each file once, and does nothing else; returns the bytes of text of each, `None` for a file that
/// cannot be inflated in one piece.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 extracts lists by value")]
pub(crate) fn floor(py: Python<'_>, files: Vec<PathBuf>, threads: usize) -> PyResult<Vec<Option<u64>>> {
    py.detach(|| ctfast_core::floor::pass(&files, threads, false))
        .map_err(|error| PyOSError::new_err(error.to_string()))
}
