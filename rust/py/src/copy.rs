//! `Copy`: objects being copied to files, as a Python object.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use ctfast_core::scan::Finding;
use ctfast_core::source::object::{Copies, Wanted};
use pyo3::prelude::*;

use crate::patience::lock;
use crate::remote::Remote;
use crate::told::{Row, row};

/// How often a wait checks for Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(50);

/// Running copies. They continue by themselves until `close`.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Copy(Mutex<Copies>);

/// Which copy ended, its user metadata, and what went wrong.
type Ended = (usize, Vec<(String, String)>, Option<Row>);

#[pymethods]
impl Copy {
    /// Starts to copy objects of these sizes to paths.
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 gives references of its own by value")]
    fn new(remote: PyRef<'_, Remote>, wanted: Vec<(String, Option<u64>, PathBuf)>) -> Self {
        let wanted = wanted.into_iter().map(|(address, size, path)| Wanted { address, size, path }).collect();
        Self(Mutex::new(Copies::start(&remote.remote, wanted)))
    }

    /// The next copy that ended, or None if all have.
    fn next(&self, py: Python<'_>) -> PyResult<Option<Ended>> {
        loop {
            match py.detach(|| lock(&self.0).next(PATIENCE)) {
                Ok(None) => return Ok(None),
                Ok(Some(copied)) => {
                    let number = copied.number;
                    return Ok(Some(match copied.result {
                        Ok(metadata) => (number, metadata, None),
                        Err(error) => (number, Vec::new(), Some(row(&Finding { error, records_kept: 0, more: None }))),
                    }));
                }
                Err(_) => py.check_signals()?,
            }
        }
    }

    /// Cancels what is running, and waits until its files are gone.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        lock(&self.0).stop();
        while self.next(py)?.is_some() {}
        Ok(())
    }
}
