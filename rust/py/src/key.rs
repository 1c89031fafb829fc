//! The key grammar, and sets of files, for Python.

use std::path::PathBuf;
use std::sync::Arc;

use ctfast_core::source;
use ctfast_core::source::key::{Key, Name};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The parts of a key, a path or a file name; None if it is not CloudTrail's.
#[pyfunction]
pub(crate) fn parse_key<'py>(py: Python<'py>, key: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(key) = Key::parse(key) else { return Ok(None) };
    let dict = PyDict::new(py);
    dict.set_item("prefix", key.prefix)?;
    dict.set_item("org", key.org)?;
    dict.set_item("account", key.account)?;
    dict.set_item("kind", key.kind)?;
    dict.set_item("region", key.region)?;
    dict.set_item("day", key.day)?;
    dict.set_item("time", key.time)?;
    let (unique, trail, home_region, backfill) = match key.name {
        Name::Log { unique } => (Some(unique), None, None, false),
        Name::Digest { trail, home_region, backfill } => (None, Some(trail), Some(home_region), backfill),
    };
    dict.set_item("unique", unique)?;
    dict.set_item("trail", trail)?;
    dict.set_item("home_region", home_region)?;
    dict.set_item("backfill", backfill)?;
    Ok(Some(dict))
}

/// A set of paths.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Paths(pub(crate) Arc<source::Paths>);

#[pymethods]
impl Paths {
    #[new]
    fn new(paths: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut set = source::Paths::default();
        for path in paths.try_iter()? {
            set.add(path?.extract()?);
        }
        Ok(Self(Arc::new(set)))
    }
}

/// Whether a file of this name is read when it is found in a folder.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 gives paths by value")]
pub(crate) fn has_log_ending(name: PathBuf) -> bool {
    source::has_log_ending(&name)
}
