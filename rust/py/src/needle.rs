//! Files of filters beside the parts of a lake, as Python writes and asks them.

use std::path::PathBuf;

use ctfast_core::needle;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The filter of some values, given by where each begins in a text and the last one ends.
#[pyfunction]
pub(crate) fn filter_of<'py>(py: Python<'py>, places: &[u8], text: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let filter = py.detach(|| needle::filter(places, text));
    filter
        .map(|filter| PyBytes::new(py, &filter))
        .ok_or_else(|| PyValueError::new_err("a value is outside of the text"))
}

/// A file of filters.
#[pyfunction]
pub(crate) fn file_of_filters<'py>(py: Python<'py>, directory: &[u8], blocks: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &py.detach(|| needle::file(directory, blocks)))
}

/// An open file of filters.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Filters(needle::Filters);

#[pymethods]
impl Filters {
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 gives paths by value")]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        Ok(Self(py.detach(|| needle::Filters::open(&path))?))
    }

    #[getter]
    fn directory<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.directory())
    }

    /// How many blocks all filters have.
    #[getter]
    fn blocks(&self) -> u64 {
        self.0.blocks()
    }

    /// Whether each of these filters may have one of these values; a filter is its first block, and how many it has.
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 gives lists by value")]
    fn find(&self, py: Python<'_>, filters: Vec<(u64, u64)>, values: Vec<String>) -> PyResult<Vec<bool>> {
        Ok(py.detach(|| self.0.find(&filters, &values))?)
    }
}
