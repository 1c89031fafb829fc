//! `NewFile`: a file on its way to its name, as an object of Python.

use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ctfast_core::source::storage::{self, Existing};
use ctfast_core::source::words;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use crate::patience::lock;

/// "Invalid argument", where the operating system was not asked.
const EINVAL: i32 = 22;

/// A file that has its name once it is finished, and leaves nothing when it is abandoned.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct NewFile {
    path: PathBuf,
    file: Mutex<Option<storage::NewFile>>,
}

#[pymethods]
impl NewFile {
    /// Begins a file that will have this name, and replace the one that has it now or else fail.
    #[new]
    #[pyo3(signature = (path, *, replace=true))]
    fn new(path: PathBuf, replace: bool) -> PyResult<Self> {
        let existing = if replace { Existing::Replace } else { Existing::Keep };
        let file = storage::NewFile::create(&path, existing).map_err(|error| failure(&error, &path))?;
        Ok(Self { path, file: Mutex::new(Some(file)) })
    }

    /// The descriptor to write to. It is closed here.
    fn fileno(&self) -> PyResult<i32> {
        let mut file = lock(&self.file);
        let open = file.as_mut().ok_or_else(|| PyValueError::new_err("the file is finished or abandoned"))?;
        Ok(open.as_file_mut().as_raw_fd())
    }

    /// Gives the file its name, once all of it is on the disk.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let Some(file) = lock(&self.file).take() else { return Ok(()) };
        py.detach(|| file.finish()).map_err(|error| failure(&error, &self.path))
    }

    /// Leaves nothing of a file that is not finished.
    fn abandon(&self) {
        lock(&self.file).take();
    }
}

/// Removes what earlier runs have left in a folder when they were killed.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 gives paths by value")]
pub(crate) fn remove_leftovers(py: Python<'_>, folder: PathBuf) {
    py.detach(|| storage::remove_leftovers(&folder));
}

/// Makes a folder and all that it lies in, on the disk when this returns.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 gives paths by value")]
pub(crate) fn make_folders(py: Python<'_>, folder: PathBuf) -> PyResult<()> {
    py.detach(|| storage::make_folders(&folder)).map_err(|error| failure(&error, &folder))
}

/// Python's own error for what the operating system says about this file.
fn failure(error: &io::Error, path: &Path) -> PyErr {
    PyOSError::new_err((error.raw_os_error().unwrap_or(EINVAL), words(error), path.to_owned()))
}
