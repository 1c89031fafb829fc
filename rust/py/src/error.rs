//! Errors of the core as exceptions, whose classes are written in Python.

use ctfast_core::error::Location;
use ctfast_core::{Error, ErrorKind};
use pyo3::call::PyCallArgs;
use pyo3::exceptions::PyFileNotFoundError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// ENOENT, which has the same number on every system.
const ENOENT: i32 = 2;

/// Whether a file could not be read at all.
fn is_source_error(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unreadable(_) | ErrorKind::Unwritable(_) | ErrorKind::Store(..))
}

/// The exception for a failure of a file.
pub(crate) fn to_exception(py: Python<'_>, error: &Error) -> PyErr {
    static FORMAT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static SOURCE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if matches!(error.kind(), ErrorKind::NotFound) {
        return PyFileNotFoundError::new_err((ENOENT, error.kind().to_string(), error.location().key.clone()));
    }
    let (cell, name) = if is_source_error(error.kind()) { (&SOURCE, "SourceError") } else { (&FORMAT, "FormatError") };
    let Location { key, byte, record, .. } = error.location();
    exception(py, cell, name, (error.kind().to_string(), key, byte, record, error.kind().name(), error.to_string()))
}

/// The exception for a condition that AWS would refuse: the message, the field, line and column, and the rule that it
/// breaks.
pub(crate) fn refusal(
    py: Python<'_>,
    what: (String, Option<String>, Option<usize>, Option<usize>, &'static str),
) -> PyErr {
    static FILTER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    exception(py, &FILTER, "FilterError", what)
}

fn exception<'py>(py: Python<'py>, cell: &PyOnceLock<Py<PyAny>>, name: &str, arguments: impl PyCallArgs<'py>) -> PyErr {
    let class = cell.get_or_try_init(py, || Ok::<_, PyErr>(py.import("ctfast.exceptions")?.getattr(name)?.unbind()));
    match class.and_then(|class| class.bind(py).call1(arguments)) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}
