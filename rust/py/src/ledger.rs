//! `Ledger`: what became of each file, as a Python object.

use std::borrow::Cow;
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

    /// The table without rows.
    #[staticmethod]
    fn empty() -> Batch {
        Batch(table::batch(&[]))
    }

    /// The rows of a page, counted from 0; none after the last one.
    fn page(&self, py: Python<'_>, number: usize) -> PyResult<Batch> {
        let rows = py.detach(|| self.0.page(number).map(|rows| table::batch(&rows)));
        rows.map(Batch).map_err(|error| to_exception(py, &error))
    }

    /// Removes and returns some of the first rows; none when all are taken.
    fn take(&self, py: Python<'_>) -> PyResult<Batch> {
        let rows = py.detach(|| self.0.take().map(|rows| table::batch(&rows)));
        rows.map(Batch).map_err(|error| to_exception(py, &error))
    }

    /// The same rows as [`Ledger::take`], as tuples, for callers that need no frame.
    fn take_rows(&self, py: Python<'_>) -> PyResult<Vec<Columns>> {
        let rows = py.detach(|| self.0.take()).map_err(|error| to_exception(py, &error))?;
        Ok(rows.into_iter().map(columns).collect())
    }

    /// Records what became of a file that no scan reached.
    #[pyo3(signature = (file, outcome, reason=None, size=None, etag=None, byte=None))]
    #[expect(clippy::too_many_arguments, reason = "the columns of a row")]
    fn note(
        &self,
        py: Python<'_>,
        file: String,
        outcome: &str,
        reason: Option<String>,
        size: Option<u64>,
        etag: Option<String>,
        byte: Option<u64>,
    ) -> PyResult<()> {
        let Some(outcome) = Outcome::named(outcome) else {
            return Err(PyValueError::new_err(format!("{outcome} is no outcome of a file")));
        };
        let row = Row { reason: reason.map(Cow::Owned), size, etag, byte, ..Row::new(file, outcome) };
        self.0.extend([row]).map_err(|error| to_exception(py, &error))
    }
}

/// The columns of [`table::batch`] for one row, and how many of its documents are open.
type Columns = (
    String,
    Option<u64>,
    Option<String>,
    &'static str,
    Option<Cow<'static, str>>,
    Option<u64>,
    u64,
    u64,
    u64,
    Option<u64>,
    Option<String>,
    u64,
);

fn columns(row: Row) -> Columns {
    let Row { key, size, etag, read, bad, skipped, open, duplicates, outcome, reason, byte, sha256 } = row;
    (key, size, etag, outcome.name(), reason, byte, read, bad, skipped, duplicates, sha256, open)
}

/// The ledgers of the core.
pub(crate) fn shared(ledgers: &[PyRef<'_, Ledger>]) -> Vec<Arc<ctfast_core::ledger::Ledger>> {
    ledgers.iter().map(|ledger| Arc::clone(&ledger.0)).collect()
}
