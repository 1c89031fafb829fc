//! `Planner`: collects files and cuts them into splits, as a Python object; and the contents of splits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use ctfast_core::ledger::{Outcome, Row};
use ctfast_core::scan::{self, Sources};
use ctfast_core::source::object::is_address;
use ctfast_core::source::split::{self, Member, Sizes};
use ctfast_core::source::{Listed, Named, Sieve, Skip, Storage};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::to_exception;
use crate::key::Paths;
use crate::ledger::{Ledger, shared};
use crate::patience::lock;
use crate::plan::Selection;
use crate::told::by_name;

/// A file: its path or address, its size, `ETag` and time of change, as far as they are known.
type File<T> = (T, Option<u64>, Option<String>, Option<i64>);
/// A split without its query: its name, its files, how many these are, their bytes, cost and records, and whether some
/// are in buckets.
type Run = (String, Selection, u64, u64, u64, u64, bool);

/// Collects files, then cuts them into splits.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Planner(pub(crate) Arc<Mutex<split::Planner>>);

#[pymethods]
impl Planner {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    /// Adds those of these files that a selection includes, in order, and returns why the other ones are skipped; the
    /// ledgers note these.
    #[pyo3(signature = (files, selection, *, only=None, ledgers=Vec::new()))]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 gives references to classes by value")]
    fn add(
        &self,
        py: Python<'_>,
        files: Vec<File<PathBuf>>,
        selection: PyRef<'_, Selection>,
        only: Option<PyRef<'_, Paths>>,
        ledgers: Vec<PyRef<'_, Ledger>>,
    ) -> PyResult<BTreeMap<&'static str, u64>> {
        let only = only.map(|only| Arc::clone(&only.0));
        let sieve = Sieve { files: only, ..selection.0.choice.clone().into() };
        let mut skipped = BTreeMap::<Skip, u64>::new();
        let ledgers = shared(&ledgers);
        let added = py.detach(|| {
            files.into_iter().try_for_each(|file| match chosen(file, &sieve) {
                Ok(member) => {
                    lock(&self.0).push(&member);
                    Ok(())
                }
                Err(passed) => {
                    let (row, reason) = *passed;
                    *skipped.entry(reason).or_default() += 1;
                    ledgers.iter().try_for_each(|ledger| ledger.extend([row.clone()]))
                }
            })
        });
        added.map(|()| by_name(&skipped)).map_err(|error| to_exception(py, &error))
    }

    /// The number of files so far.
    fn files(&self) -> u64 {
        lock(&self.0).files()
    }

    /// Cuts the files into splits, whose names depend on this query as well. The planner is empty afterwards.
    #[pyo3(signature = (selection, query, *, slots, target))]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 gives references to classes by value")]
    fn cut(
        &self,
        py: Python<'_>,
        selection: PyRef<'_, Selection>,
        query: &str,
        slots: u64,
        target: Option<u64>,
    ) -> PyResult<Vec<Run>> {
        let planner = std::mem::take(&mut *lock(&self.0));
        let choice = &selection.0.choice;
        let run = |split::Run { packed, sizes: Sizes { bytes, cost, rows, is_remote } }| {
            let (id, files) = (packed.id(query).ok_or_else(damaged)?, packed.files);
            let selection = scan::Selection { sources: Sources::Planned(packed), choice: choice.clone() };
            Ok((id, Selection(selection), files, bytes, cost, rows, is_remote))
        };
        py.detach(|| planner.cut(slots, target).map(run).collect())
    }
}

/// A named file with its size and time on disk, or why it is skipped.
fn chosen((source, size, etag, modified): File<PathBuf>, sieve: &Sieve) -> Result<Member, Box<(Row, Skip)>> {
    if let Some(address) = source.to_str().filter(|_| is_address(&source)) {
        let key = address.to_owned();
        return match sieve.skips(address) {
            None => Ok(Member { key, size, etag, modified }),
            Some(reason) => {
                let row = Row::new(key, Outcome::Skipped);
                Err(Box::new((Row { size, etag, reason: Some(reason.name().into()), ..row }, reason)))
            }
        };
    }
    let file = Named { source, size, etag, first: 0 };
    match Storage::default().named(vec![file], sieve.clone()).next() {
        Some(Listed::File(entry)) => Ok(entry.into()),
        Some(Listed::Skipped(entry, reason)) => Err(Box::new((Row::passed(entry, reason), reason))),
        Some(Listed::Pruned(folder, reason)) => Err(Box::new((Row::pruned(folder, reason), reason))),
        // A file that cannot be inspected is reported when the split is read.
        Some(Listed::Failed(error) | Listed::Broken(error)) => {
            Ok(Member::unknown(error.location().key.clone().unwrap_or_default()))
        }
        None => Err(Box::new((Row::new(String::new(), Outcome::Skipped), Skip::Name))),
    }
}

/// Facts about the split of these planned files with this query: its name, the number of its files, their bytes, their
/// cost, about how many records they have, and whether some are in buckets.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 gives references to classes by value")]
pub(crate) fn split_facts(
    py: Python<'_>,
    selection: PyRef<'_, Selection>,
    query: &str,
) -> PyResult<(String, u64, u64, u64, u64, bool)> {
    let Sources::Planned(files) = &selection.0.sources else { return Err(damaged()) };
    let found = py.detach(|| Some((files.id(query)?, files.sizes()?)));
    let (id, Sizes { bytes, cost, rows, is_remote }) = found.ok_or_else(damaged)?;
    Ok((id, files.files, bytes, cost, rows, is_remote))
}

fn damaged() -> PyErr {
    PyValueError::new_err("the files of this split are damaged")
}
