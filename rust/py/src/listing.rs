//! `Listing`: which files a scan would read, without a look inside, as an object of Python.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use ctfast_core::Error;
use ctfast_core::scan::Finding;
use ctfast_core::source::{Keys, Listed, Selection, Skip, keys};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::to_exception;
use crate::remote::Remote;
use crate::scan::{Row, by_name, lock, row};

/// Files of a page.
const PAGE: usize = 1_000;
/// Steps between two looks at Ctrl-C.
const STEPS: usize = 10_000;

/// Files and their sizes.
type Page = Vec<(String, Option<u64>)>;

/// A listing that is under way. It works in `next` only.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Listing(Mutex<State>);

struct State {
    files: Keys,
    skipped: BTreeMap<Skip, u64>,
    pruned: BTreeMap<Skip, u64>,
    bad: Vec<Finding>,
    page: Page,
}

impl State {
    /// Goes on until a page is full, the files end, or it is time to look up; whether it is the end.
    fn go_on(&mut self) -> Result<bool, Error> {
        for _ in 0..STEPS {
            match self.files.next() {
                None => return Ok(true),
                Some(Listed::Broken(error)) => return Err(error),
                Some(Listed::File(entry)) => self.page.push((entry.key, entry.size)),
                Some(Listed::Skipped(reason)) => *self.skipped.entry(reason).or_default() += 1,
                Some(Listed::Pruned(reason)) => *self.pruned.entry(reason).or_default() += 1,
                Some(Listed::Failed(error)) => self.bad.push(Finding { error, records_kept: 0 }),
            }
            if self.page.len() == PAGE {
                break;
            }
        }
        Ok(false)
    }
}

#[pymethods]
impl Listing {
    #[new]
    #[pyo3(signature = (paths, *, accounts, regions, kinds, since, until, max_delay, floors=None, digests=false, remote=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a private class")]
    fn new(
        paths: Vec<PathBuf>,
        accounts: Option<HashSet<String>>,
        regions: Option<HashSet<String>>,
        kinds: Option<HashSet<String>>,
        since: Option<i64>,
        until: Option<i64>,
        max_delay: Option<i64>,
        floors: Option<HashMap<String, String>>,
        digests: bool,
        remote: Option<PyRef<'_, Remote>>,
    ) -> Self {
        let floors = floors.map(Arc::new);
        let selection = Selection { accounts, regions, kinds, since, until, max_delay, files: None, floors, digests };
        let files = keys(paths, selection, remote.map(|remote| Arc::clone(&remote.0)));
        let (skipped, pruned) = (BTreeMap::new(), BTreeMap::new());
        Self(Mutex::new(State { files, skipped, pruned, bad: Vec::new(), page: Vec::new() }))
    }

    /// The next page of files with their sizes, in order, or None at the end.
    fn next(&self, py: Python<'_>) -> PyResult<Option<Page>> {
        loop {
            let found = py.detach(|| {
                let mut state = lock(&self.0);
                let end = state.go_on()?;
                let whole = end || state.page.len() == PAGE;
                Ok((end, if whole { std::mem::take(&mut state.page) } else { Vec::new() }))
            });
            let (end, page) = found.map_err(|error| to_exception(py, &error))?;
            if !page.is_empty() {
                return Ok(Some(page));
            }
            if end {
                return Ok(None);
            }
            py.check_signals()?;
        }
    }

    /// How many files and folders were passed over, and why.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = lock(&self.0);
        let dict = PyDict::new(py);
        dict.set_item("skipped", by_name(&state.skipped))?;
        dict.set_item("pruned", by_name(&state.pruned))?;
        Ok(dict)
    }

    /// The files and folders that cannot be listed.
    fn bad(&self) -> Vec<Row> {
        lock(&self.0).bad.iter().map(row).collect()
    }
}
