//! `Selection`, `Query`, `Run`: what to read, and how, as Python values.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ctfast_core::Limits;
use ctfast_core::scan::{self, Sources, text_type};
use ctfast_core::schema::Profile;
use ctfast_core::source::{Choice, Named, Sieve, Skip, has_log_ending};
use pyo3::PyTypeInfo;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use crate::filter::{Filter, pushed};

/// A named file: its path or address, its size, its `ETag`, and the index of its first record to read.
type File = (PathBuf, Option<u64>, Option<String>, u64);

/// Which files to read.
#[pyclass(frozen, eq, module = "ctfast._ctfast")]
#[derive(PartialEq)]
pub(crate) struct Selection(pub(crate) scan::Selection);

#[pymethods]
impl Selection {
    #[new]
    #[pyo3(signature = (
        sources, *, accounts=None, regions=None, kinds=None, since=None, until=None, max_delay=None, digests=false
    ))]
    #[expect(clippy::too_many_arguments, reason = "one for each thing that keys tell")]
    fn new(
        sources: Vec<PathBuf>,
        accounts: Option<HashSet<String>>,
        regions: Option<HashSet<String>>,
        kinds: Option<HashSet<String>>,
        since: Option<i64>,
        until: Option<i64>,
        max_delay: Option<i64>,
        digests: bool,
    ) -> Self {
        let choice = Choice { accounts, regions, kinds, since, until, max_delay, digests };
        Self(scan::Selection { sources: Sources::Below(sources), choice })
    }

    /// The same below these paths and addresses, or at them.
    fn below(&self, paths: Vec<PathBuf>) -> Self {
        Self(scan::Selection { sources: Sources::Below(paths), choice: self.0.choice.clone() })
    }

    /// The same selection of these files, which are named one by one.
    fn naming(&self, files: Vec<File>) -> Self {
        let named = |(source, size, etag, first)| Named { source, size, etag, first };
        let sources = Sources::Named(files.into_iter().map(named).collect());
        Self(scan::Selection { sources, choice: self.0.choice.clone() })
    }

    /// Why a file of this name is skipped, or None if it is read.
    fn skips(&self, key: &str) -> Option<&'static str> {
        let is_log = has_log_ending(Path::new(key));
        if is_log { Sieve::from(self.0.choice.clone()).skips(key).map(Skip::name) } else { Some(Skip::Name.name()) }
    }

    /// The times of change by which planned files are told from other versions: of those that have one.
    fn times(&self) -> HashMap<String, i64> {
        let Sources::Planned(files) = &self.0.sources else { return HashMap::new() };
        files.members().flatten().filter_map(|member| Some((member.key, member.modified?))).collect()
    }

    /// Its paths and addresses.
    #[getter]
    fn paths(&self) -> Vec<OsString> {
        match &self.0.sources {
            Sources::Below(paths) => paths.iter().map(|path| path.clone().into_os_string()).collect(),
            Sources::Named(files) => files.iter().map(|file| file.source.clone().into_os_string()).collect(),
            Sources::Planned(files) => files.members().flatten().map(|member| member.key.into()).collect(),
        }
    }

    fn json(&self) -> String {
        self.0.json()
    }

    #[classmethod]
    fn from_json(_class: &Bound<'_, PyType>, text: &str) -> PyResult<Self> {
        scan::Selection::from_json(text).map(Self).map_err(PyValueError::new_err)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Restored<'py>> {
        restored::<Self>(py, self.json())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.json().into_pyobject(py)?.hash()
    }

    fn __repr__(&self) -> String {
        format!("Selection({})", self.json())
    }
}

/// Which records to read, and which columns of them.
#[pyclass(frozen, eq, module = "ctfast._ctfast")]
#[derive(PartialEq)]
pub(crate) struct Query(pub(crate) scan::Query);

#[pymethods]
impl Query {
    #[new]
    #[pyo3(signature = (columns, *, text=None, predicate=None, r#where=None, rules=None, dedupe=false))]
    fn new(
        columns: Vec<String>,
        text: Option<Vec<String>>,
        predicate: Option<&Bound<'_, PyTuple>>,
        r#where: Option<PyRef<'_, Filter>>,
        rules: Option<Vec<(String, PyRef<'_, Filter>)>>,
        dedupe: bool,
    ) -> PyResult<Self> {
        let stated = |filter: PyRef<'_, Filter>| Arc::clone(&filter.stated);
        let mut query = selected(columns, text, predicate)?;
        query.condition = r#where.map(stated);
        query.rules = rules.map(|rules| rules.into_iter().map(|(name, filter)| (name, stated(filter))).collect());
        query.dedupe = dedupe;
        Ok(Self(query))
    }

    /// The same of these columns.
    #[pyo3(signature = (columns, *, text=None, predicate=None))]
    fn selecting(
        &self,
        columns: Vec<String>,
        text: Option<Vec<String>>,
        predicate: Option<&Bound<'_, PyTuple>>,
    ) -> PyResult<Self> {
        let mut query = selected(columns, text, predicate)?;
        query.condition.clone_from(&self.0.condition);
        query.rules.clone_from(&self.0.rules);
        query.dedupe = self.0.dedupe;
        Ok(Self(query))
    }

    /// Its columns, and members of columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.0.columns().to_vec()
    }

    #[getter]
    fn dedupe(&self) -> bool {
        self.0.dedupe
    }

    fn json(&self) -> String {
        self.0.json()
    }

    #[classmethod]
    fn from_json(_class: &Bound<'_, PyType>, text: &str) -> PyResult<Self> {
        scan::Query::from_json(text).map(Self).map_err(PyValueError::new_err)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Restored<'py>> {
        restored::<Self>(py, self.json())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.json().into_pyobject(py)?.hash()
    }

    fn __repr__(&self) -> String {
        format!("Query({})", self.json())
    }
}

/// These columns of every record that meets the predicate.
fn selected(
    columns: Vec<String>,
    text: Option<Vec<String>>,
    predicate: Option<&Bound<'_, PyTuple>>,
) -> PyResult<scan::Query> {
    let unknown = PyValueError::new_err(format!("unknown column among {columns:?}"));
    let mut query = scan::Query::new(columns).ok_or(unknown)?;
    let kind =
        |name: &String| text_type(name).ok_or_else(|| PyValueError::new_err(format!("{name} is no type of text")));
    query.text = text.map(|names| names.iter().map(kind).collect::<PyResult<_>>()).transpose()?;
    query.predicate = predicate.map(pushed).transpose()?;
    Ok(query)
}

/// With which resources and limits to read.
#[pyclass(frozen, eq, module = "ctfast._ctfast")]
#[derive(PartialEq)]
pub(crate) struct Run(pub(crate) scan::Run);

#[pymethods]
impl Run {
    #[new]
    #[pyo3(signature = (threads, limits, fail, types=None))]
    fn new(threads: usize, limits: (u64, u64), fail: bool, types: Option<&str>) -> PyResult<Self> {
        let (inflated, ratio) = limits;
        let recut = types.map(profile).transpose()?;
        Ok(Self(scan::Run { threads, limits: Limits { inflated, ratio }, fail, recut }))
    }

    /// What a file may inflate to: bytes, and times its size.
    #[getter]
    fn limits(&self) -> (u64, u64) {
        (self.0.limits.inflated, self.0.limits.ratio)
    }

    /// Whether the first bad file or record ends the scan.
    #[getter]
    fn fail(&self) -> bool {
        self.0.fail
    }

    fn __getnewargs__(&self) -> (usize, (u64, u64), bool, Option<&'static str>) {
        let types = TYPES.iter().find(|(_, profile)| Some(*profile) == self.0.recut);
        (self.0.threads, self.limits(), self.0.fail, types.map(|(name, _)| *name))
    }
}

/// The readers of batches, by name.
const TYPES: [(&str, Profile); 3] =
    [("polars", Profile::Views), ("arrow", Profile::Strings), ("spark", Profile::Spark)];

/// The profile for a reader of batches.
pub(crate) fn profile(types: &str) -> PyResult<Profile> {
    let found = TYPES.iter().find(|(name, _)| *name == types);
    found.map(|(_, profile)| *profile).ok_or_else(|| PyValueError::new_err(format!("{types} is no profile")))
}

/// The function that a pickle calls, and its arguments.
type Restored<'py> = (Bound<'py, PyAny>, (String,));

fn restored<T: PyTypeInfo>(py: Python<'_>, json: String) -> PyResult<Restored<'_>> {
    Ok((py.get_type::<T>().getattr("from_json")?, (json,)))
}
