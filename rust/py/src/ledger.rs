//! `Ledger`: what became of each file, as an object of Python.

use std::sync::Arc;

use ctfast_core::ledger::{Outcome, Row, table};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrow::Batch;
use crate::error::to_exception;

/// The rows of one scan after another.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Ledger(pub(crate) Arc<ctfast_core::ledger::Ledger>);

#[pymethods]
impl Ledger {
    #[new]
    fn new(sha256: bool) -> Self {
        Self(Arc::new(ctfast_core::ledger::Ledger::new(sha256)))
    }

    /// The table without a row.
    #[staticmethod]
    fn empty() -> Batch {
        Batch(table::batch(&[]))
    }

    /// The rows of a page, counted from 0; none after the last one.
    fn page(&self, py: Python<'_>, number: usize) -> PyResult<Batch> {
        let rows = py.detach(|| self.0.page(number).map(|rows| table::batch(&rows)));
        rows.map(Batch).map_err(|error| to_exception(py, &error))
    }

    /// Some of the rows that nobody has taken yet; none when all are taken.
    fn take(&self, py: Python<'_>) -> PyResult<Batch> {
        let rows = py.detach(|| self.0.take().map(|rows| table::batch(&rows)));
        rows.map(Batch).map_err(|error| to_exception(py, &error))
    }

    /// Notes what became of a file that no scan came to.
    #[pyo3(signature = (file, outcome, reason, size=None, etag=None))]
    fn note(
        &self,
        py: Python<'_>,
        file: String,
        outcome: &str,
        reason: String,
        size: Option<u64>,
        etag: Option<String>,
    ) -> PyResult<()> {
        let Some(outcome) = Outcome::named(outcome) else {
            return Err(PyValueError::new_err(format!("{outcome} is no outcome of a file")));
        };
        let row = Row { reason: Some(reason.into()), size, etag, ..Row::new(file, outcome) };
        self.0.extend([row]).map_err(|error| to_exception(py, &error))
    }
}

/// The ledgers themselves.
pub(crate) fn shared(ledgers: &[PyRef<'_, Ledger>]) -> Vec<Arc<ctfast_core::ledger::Ledger>> {
    ledgers.iter().map(|ledger| Arc::clone(&ledger.0)).collect()
}
