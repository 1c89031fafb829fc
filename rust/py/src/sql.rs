//! What a SQL text may not do.

use pyo3::prelude::*;

/// Why a text is not one query that reads this table alone: a short name, and what is refused. `None` if it is.
#[pyfunction]
pub(crate) fn refused(py: Python<'_>, text: &str, table: &str) -> Option<(&'static str, String)> {
    py.detach(|| ctfast_core::sql::check(text, table)).err().map(ctfast_core::sql::Refused::parts)
}
