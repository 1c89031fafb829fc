//! The check of SQL queries.

use pyo3::prelude::*;

/// Why a query is refused, since it does not only read this table: a short name, and what is refused. `None` if it only
/// reads the table.
#[pyfunction]
pub(crate) fn refused(py: Python<'_>, text: &str, table: &str) -> Option<(&'static str, String)> {
    py.detach(|| ctfast_core::sql::check(text, table)).err().map(ctfast_core::sql::Refused::parts)
}
