//! `NewFile`: a file on its way to its final name, as a Python object.

use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ctfast_core::source::storage::{self, Existing};
use ctfast_core::source::{Storage, words};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use crate::patience::lock;

/// EINVAL, for failures that are not from the operating system.
const EINVAL: i32 = 22;

/// A file that gets its name when it is finished, and leaves nothing if it is abandoned.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct NewFile {
    path: PathBuf,
    file: Mutex<Option<storage::NewFile>>,
}

#[pymethods]
impl NewFile {
    /// Starts a file that will have this name, and will either replace an existing one or fail.
    #[new]
    #[pyo3(signature = (path, *, replace=true))]
    fn new(path: PathBuf, replace: bool) -> PyResult<Self> {
        let existing = if replace { Existing::Replace } else { Existing::Keep };
        let file = Storage::put(&path, existing).map_err(|error| failure(&error, &path))?;
        Ok(Self { path, file: Mutex::new(Some(file)) })
    }

    /// The file descriptor to write to. It is closed here.
    fn fileno(&self) -> PyResult<i32> {
        let mut file = lock(&self.file);
        let open = file.as_mut().ok_or_else(|| PyValueError::new_err("the file is finished or abandoned"))?;
        Ok(open.as_file_mut().as_raw_fd())
    }

    /// Renames the file once all of it is on disk.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let Some(file) = lock(&self.file).take() else { return Ok(()) };
        py.detach(|| file.finish()).map_err(|error| failure(&error, &self.path))
    }

    /// Removes an unfinished file.
    fn abandon(&self) {
        lock(&self.file).take();
    }
}

/// Removes files that killed runs left in a folder.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 gives paths by value")]
pub(crate) fn remove_leftovers(py: Python<'_>, folder: PathBuf) {
    py.detach(|| storage::remove_leftovers(&folder));
}

/// Makes a folder and its parents, durably.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 gives paths by value")]
pub(crate) fn make_folders(py: Python<'_>, folder: PathBuf) -> PyResult<()> {
    py.detach(|| storage::make_folders(&folder)).map_err(|error| failure(&error, &folder))
}

/// Python's own exception for an error of the operating system on this file.
fn failure(error: &io::Error, path: &Path) -> PyErr {
    PyOSError::new_err((error.raw_os_error().unwrap_or(EINVAL), words(error), path.to_owned()))
}
