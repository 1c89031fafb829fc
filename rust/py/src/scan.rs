//! `Scan`: a running read, as an object of Python.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};
use ctfast_core::dedupe::Duplicates;
use ctfast_core::filter::Predicate;
use ctfast_core::scan::Unnamed;
use ctfast_core::schema::Profile;
use ctfast_core::source::object::{Requests, is_address};
use ctfast_core::source::{self, Named, Selection, keys};
use ctfast_core::{Limits, Next, Plan, Report, schema as table};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arrow::Batch;
use crate::digest::Hashes;
use crate::error::to_exception;
use crate::filter::{self, Filter};
use crate::key::Paths;
use crate::ledger::{Ledger, shared};
use crate::listing::Seen;
use crate::patience::{PATIENCE, lock};
use crate::remote::Remote;
use crate::told::{Row, by_name, row};

/// Then whoever wants to look at the report has a turn: a lock that is taken again at once leaves none.
const TURN: Duration = Duration::from_millis(1);

/// Sizes of the files that a scan opens.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Sizes(Arc<ctfast_core::scan::Sizes>);

#[pymethods]
impl Sizes {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    fn take(&self, file: &str) -> Option<u64> {
        self.0.take(file)
    }
}

/// What tells duplicates from the records before them, in one scan after another.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Dedupe(Arc<ctfast_core::dedupe::Dedupe>);

#[pymethods]
impl Dedupe {
    #[new]
    fn new(removes: bool) -> Self {
        Self(Arc::new(ctfast_core::dedupe::Dedupe::new(removes)))
    }
}

/// What is known of a named file: its size, its `ETag`, and its first record that is asked for.
type Known = (Option<u64>, Option<String>, u64);

/// A running read.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Scan {
    state: Mutex<State>,
    process: u32,
}

/// A scan, or what it leaves.
enum State {
    Running(ctfast_core::Scan),
    Closed(Report),
}

impl State {
    fn report(&self) -> &Report {
        match self {
            Self::Running(scan) => scan.report(),
            Self::Closed(report) => report,
        }
    }
}

#[pymethods]
impl Scan {
    #[new]
    #[pyo3(signature = (paths, *, columns, text, predicate, accounts, regions, kinds, since, until, max_delay, fail, threads, max_inflated, max_ratio, hashes=None, only=None, r#where=None, rules=None, storage_options=None, credentials=None, opened=None, named=None, remote=None, seen=None, dedupe=None, ledgers=Vec::new()))]
    #[expect(clippy::too_many_arguments, clippy::needless_pass_by_value, reason = "keyword arguments of a private class")]
    fn new(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        columns: Vec<String>,
        text: Option<Vec<String>>,
        predicate: Option<&Bound<'_, PyTuple>>,
        accounts: Option<HashSet<String>>,
        regions: Option<HashSet<String>>,
        kinds: Option<HashSet<String>>,
        since: Option<i64>,
        until: Option<i64>,
        max_delay: Option<i64>,
        fail: bool,
        threads: usize,
        max_inflated: u64,
        max_ratio: u64,
        hashes: Option<PyRef<'_, Hashes>>,
        only: Option<PyRef<'_, Paths>>,
        r#where: Option<PyRef<'_, Filter>>,
        rules: Option<Vec<(String, PyRef<'_, Filter>)>>,
        storage_options: Option<BTreeMap<String, String>>,
        credentials: Option<Py<PyAny>>,
        opened: Option<PyRef<'_, Sizes>>,
        named: Option<Vec<Known>>,
        remote: Option<PyRef<'_, Remote>>,
        seen: Option<PyRef<'_, Seen>>,
        dedupe: Option<PyRef<'_, Dedupe>>,
        ledgers: Vec<PyRef<'_, Ledger>>,
    ) -> PyResult<Self> {
        let schema = project(&columns, Profile::Views)?;
        let pushed = predicate.map(filter::predicate).transpose()?;
        let all: Vec<_> = pushed.into_iter().chain(r#where.map(|filter| filter.predicate())).collect();
        let files = only.map(|only| Arc::clone(&only.0));
        let seen = seen.map(|seen| Arc::clone(&seen.0));
        let selection = Selection { accounts, regions, kinds, since, until, max_delay, files, seen, ..Selection::default() };
        let keeps_remote = remote.is_some();
        let remote = match remote {
            Some(remote) => Some(Arc::clone(&remote.0)),
            None if paths.iter().any(|path| is_address(path)) => {
                Some(Arc::new(Remote::make(&storage_options.unwrap_or_default(), credentials)?))
            }
            None => None,
        };
        let ledger = named.is_some();
        let files = match named {
            Some(known) => {
                let named = |(source, (size, etag, first))| Named { source, size, etag, first };
                source::named(paths.into_iter().zip(known).map(named).collect(), selection, remote.clone())
            }
            None => keys(paths, selection, remote.clone()),
        };
        let plan = Plan {
            files,
            remote,
            keeps_remote,
            schema: Arc::new(schema),
            text: text.map(|types| types.iter().map(|name| text_type(name)).collect::<PyResult<_>>()).transpose()?,
            predicate: (!all.is_empty()).then_some(Predicate::All(all)),
            rules: rules.map(|rules| rules.into_iter().map(|(name, filter)| (name, filter.predicate())).collect()),
            fail,
            limits: Limits { inflated: max_inflated, ratio: max_ratio },
            threads,
            hashes: hashes.map(|hashes| Arc::clone(&hashes.0)),
            sizes: opened.map(|sizes| Arc::clone(&sizes.0)),
            ledger,
            ledgers: shared(&ledgers),
            dedupe: dedupe.map(|dedupe| Arc::clone(&dedupe.0)),
        };
        let scan = py.detach(|| ctfast_core::Scan::start(plan)).map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(Self { state: Mutex::new(State::Running(scan)), process: std::process::id() })
    }

    /// The next batch, or None at the end.
    fn next(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        if std::process::id() != self.process {
            return Err(PyRuntimeError::new_err("this scan was started in another process; start one in this process"));
        }
        loop {
            let next = py.detach(|| match &mut *lock(&self.state) {
                State::Running(scan) => scan.next(PATIENCE),
                State::Closed(_) => Ok(Next::End),
            });
            match next.map_err(|error| to_exception(py, &error))? {
                Next::Batch(batch) => return Ok(Some(Batch(batch))),
                Next::End => return Ok(None),
                Next::Waiting => {
                    py.check_signals()?;
                    py.detach(|| std::thread::sleep(TURN));
                }
            }
        }
    }

    /// Ends the threads.
    fn close(&self, py: Python<'_>) {
        let close = || {
            let mut state = lock(&self.state);
            let report = state.report().clone();
            std::mem::replace(&mut *state, State::Closed(report))
        };
        if std::process::id() == self.process {
            py.detach(|| drop(close()));
        } else {
            // The threads did not come along into this process: there is nothing to wait for.
            std::mem::forget(close());
        }
    }

    /// How many of what, up to the last batch.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let report = self.look(py, |report| Report { bad: Vec::new(), warnings: Vec::new(), ..report.clone() });
        let dict = PyDict::new(py);
        dict.set_item("complete", report.complete)?;
        dict.set_item("files_read", report.files_read)?;
        dict.set_item("files_bad", report.files_bad)?;
        dict.set_item("skipped", by_name(&report.skipped))?;
        dict.set_item("pruned", by_name(&report.pruned))?;
        dict.set_item("records_read", report.records_read)?;
        dict.set_item("records_bad", report.records_bad)?;
        dict.set_item("records_filtered", report.records_filtered)?;
        dict.set_item("skipped_records", by_name(&report.skipped_records))?;
        if let Some(Duplicates { copies, differ, without_id }) = report.duplicates {
            let counts = BTreeMap::from([("copies", copies), ("differ", differ), ("without_id", without_id)]);
            dict.set_item("duplicates", counts)?;
        }
        dict.set_item("bytes_stored", report.bytes_stored)?;
        dict.set_item("bytes_inflated", report.bytes_inflated)?;
        dict.set_item("misfits", &report.misfits)?;
        let Unnamed { files, records, warnings, .. } = report.unnamed;
        dict.set_item("unnamed", BTreeMap::from([("files", files), ("records", records), ("warnings", warnings)]))?;
        let Requests { lists, gets, retries, throttled } = report.requests;
        dict.set_item("requests", (lists, gets, retries, throttled))?;
        Ok(dict)
    }

    /// The bad files and records up to the last batch, as far as they are named. To each record, how many more of its file are after
    /// it; to a file, None.
    fn bad(&self, py: Python<'_>) -> Vec<(Row, Option<u64>)> {
        self.look(py, |report| report.bad.iter().map(|finding| (row(finding), finding.more)).collect())
    }

    /// What became of each named file up to the last batch, since this was last asked: its key, how it came out and why, where the
    /// damage lies, and its records that became rows, are none, and were not asked for.
    fn ledger(&self, py: Python<'_>) -> Vec<LedgerRow> {
        let rows = py.detach(|| match &mut *lock(&self.state) {
            State::Running(scan) => scan.take_ledger(),
            State::Closed(report) => std::mem::take(&mut report.ledger),
        });
        rows.into_iter().map(|row| (row.key, row.outcome.name(), row.reason, row.byte, row.read, row.bad, row.skipped)).collect()
    }

    /// The warnings up to the last batch.
    fn warnings(&self, py: Python<'_>) -> Vec<Row> {
        self.look(py, |report| report.warnings.iter().map(row).collect())
    }
}

impl Scan {
    /// Looks at the report. Whoever waits for the next batch holds it meanwhile, so the GIL is given up.
    fn look<T: Send>(&self, py: Python<'_>, with: impl FnOnce(&Report) -> T + Send) -> T {
        py.detach(|| with(lock(&self.state).report()))
    }
}

type LedgerRow = (String, &'static str, Option<Cow<'static, str>>, Option<u64>, u64, u64, u64);

fn text_type(name: &str) -> PyResult<DataType> {
    match name {
        "string" => Ok(DataType::Utf8),
        "large_string" => Ok(DataType::LargeUtf8),
        "string_view" => Ok(DataType::Utf8View),
        _ => Err(PyValueError::new_err(format!("{name} is no type of text"))),
    }
}

fn project(columns: &[String], profile: Profile) -> PyResult<Schema> {
    table::project_as(columns, profile).ok_or_else(|| PyValueError::new_err(format!("unknown column among {columns:?}")))
}

/// The Arrow schema of some columns, with text as views or as the strings that Arrow's readers get.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 gives lists by value")]
pub(crate) fn schema(columns: Vec<String>, views: bool) -> PyResult<Batch> {
    let profile = if views { Profile::Views } else { Profile::Strings };
    Ok(Batch(RecordBatch::new_empty(Arc::new(project(&columns, profile)?))))
}

/// The column table: path, kind and doc of each.
#[pyfunction]
pub(crate) fn columns() -> Vec<(&'static str, String, &'static str)> {
    table::COLUMNS.iter().map(|column| (column.path, format!("{:?}", column.kind).to_lowercase(), column.doc)).collect()
}
