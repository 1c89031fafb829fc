//! Hashes of files, recorded by scans for verifications.

use std::sync::Arc;

use ctfast_core::digest;
use pyo3::prelude::*;

/// Hashes of the files that a scan reads.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Hashes(pub(crate) Arc<digest::Hashes>);

#[pymethods]
impl Hashes {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn clear(&self) {
        self.0.clear();
    }
}
