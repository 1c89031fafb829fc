//! `Scan`: a running read, as a Python object.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use ctfast_core::dedupe::{self, Duplicates, Noted};
use ctfast_core::scan::Unnamed;
use ctfast_core::source::object::Requests;
use ctfast_core::{Live, Next, Plan, Report, schema as table};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arrow::Batch;
use crate::digest::Hashes;
use crate::error::to_exception;
use crate::key::Paths;
use crate::ledger::Ledger;
use crate::listing::Seen;
use crate::patience::{PATIENCE, lock};
use crate::plan::{Query, Run, Selection, profile};
use crate::remote::Remote;
use crate::told::{Row, by_name, row};

/// Pause between two waits, so that other threads can look at the report: a lock that is taken again at once leaves
/// them no turn.
const TURN: Duration = Duration::from_millis(1);

/// How long Polars waits without a batch.
const QUIET: Duration = Duration::from_millis(250);

/// The records so far, by which one scan after another finds duplicates.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Dedupe(Arc<ctfast_core::dedupe::Dedupe>);

#[pymethods]
impl Dedupe {
    #[new]
    fn new(removes: bool) -> Self {
        Self(Arc::new(ctfast_core::dedupe::Dedupe::new(removes)))
    }
}

/// The keys of the rows of a scan, which its reader takes as it takes the rows.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Keys(Arc<Noted>);

#[pymethods]
impl Keys {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    /// The keys of the next rows, 32 bytes each.
    fn take<'py>(&self, py: Python<'py>, rows: usize) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.take(rows))
    }
}

/// A row that says the same as an earlier one, and that one: each by the number of its file and its own.
type Copy = ((u32, u32), (u32, u32));

/// A file of keys, of the keys of some rows in their order.
#[pyfunction]
pub(crate) fn sorted_keys<'py>(py: Python<'py>, keys: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &py.detach(|| dedupe::sorted(keys)))
}

/// A file of keys after these rows were dropped, in ascending order.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 gives lists by value")]
pub(crate) fn keys_without<'py>(py: Python<'py>, file: &[u8], dropped: Vec<u32>) -> PyResult<Bound<'py, PyBytes>> {
    let left = py.detach(|| dedupe::without(file, &dropped));
    left.map(|left| PyBytes::new(py, &left)).ok_or_else(|| PyValueError::new_err("this is no file of keys"))
}

/// The rows of new files that earlier rows say the same as, by the files of their keys; and how many of the others are
/// of an event that an earlier row is of. A row is the number of its file and its own; known files come first.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 gives lists by value")]
pub(crate) fn repeated(py: Python<'_>, known: Vec<PathBuf>, new: Vec<PathBuf>) -> PyResult<(Vec<Copy>, u64)> {
    let found = py.detach(|| dedupe::repeated(&known, &new))?;
    Ok((found.copies.into_iter().map(|copy| (copy.row, copy.of)).collect(), found.differ))
}

/// Where a scan records what it learns about files.
#[derive(FromPyObject)]
pub(crate) enum Book<'py> {
    /// What became of each file.
    Ledger(PyRef<'py, Ledger>),
    /// Hashes, for a verification.
    Hashes(PyRef<'py, Hashes>),
    /// The keys of the rows, for a lake.
    Keys(PyRef<'py, Keys>),
}

/// A running read.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Scan {
    state: Mutex<State>,
    process: u32,
}

/// A running scan, or the report of a closed one.
enum State {
    Running(Box<ctfast_core::Scan>),
    Closed(Box<Report>),
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
    /// `only` are verified files, if only these are to be read.
    #[new]
    #[pyo3(signature = (selection, query, run, *, remote=None, only=None, seen=None, dedupe=None, books=Vec::new()))]
    #[expect(
        clippy::too_many_arguments,
        clippy::needless_pass_by_value,
        reason = "three values, and what is alive beside them"
    )]
    fn new(
        selection: PyRef<'_, Selection>,
        query: PyRef<'_, Query>,
        run: PyRef<'_, Run>,
        remote: Option<PyRef<'_, Remote>>,
        only: Option<PyRef<'_, Paths>>,
        seen: Option<PyRef<'_, Seen>>,
        dedupe: Option<PyRef<'_, Dedupe>>,
        books: Vec<Book<'_>>,
    ) -> PyResult<Self> {
        let mut live = Live {
            keeps_remote: remote.as_ref().is_some_and(|remote| !remote.is_for_one),
            remote: remote.map(|remote| Arc::clone(&remote.remote)),
            files: only.map(|only| Arc::clone(&only.0)),
            seen: seen.map(|seen| Arc::clone(&seen.0)),
            dedupe: dedupe.map(|dedupe| Arc::clone(&dedupe.0)),
            ..Live::default()
        };
        for book in books {
            match book {
                Book::Ledger(ledger) => live.ledgers.push(Arc::clone(&ledger.0)),
                Book::Hashes(hashes) => live.hashes = Some(Arc::clone(&hashes.0)),
                Book::Keys(keys) => live.keys = Some(Arc::clone(&keys.0)),
            }
        }
        let plan = Plan { selection: selection.0.clone(), query: query.0.clone(), run: run.0 };
        let py = selection.py();
        let scan = py.detach(|| ctfast_core::Scan::start(&plan, live));
        let scan = scan.map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(Self { state: Mutex::new(State::Running(Box::new(scan))), process: std::process::id() })
    }

    /// The next batch, or None at the end. Polars gets a batch without rows when none has come for a while: it looks
    /// for Ctrl-C only when it is given one.
    fn next(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        if std::process::id() != self.process {
            return Err(PyRuntimeError::new_err("this scan was started in another process; start one in this process"));
        }
        let began = Instant::now();
        loop {
            let next = py.detach(|| match &mut *lock(&self.state) {
                State::Running(scan) => match scan.next(PATIENCE) {
                    Ok(Next::Waiting) if began.elapsed() >= QUIET => {
                        Ok(scan.no_rows().map_or(Next::Waiting, Next::Batch))
                    }
                    next => next,
                },
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
            std::mem::replace(&mut *state, State::Closed(Box::new(report)))
        };
        if std::process::id() == self.process {
            py.detach(|| drop(close()));
        } else {
            // After a fork, the threads do not exist in this process: there is nothing to wait for.
            std::mem::forget(close());
        }
    }

    /// The counts up to the last batch.
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

    /// The bad files and records up to the last batch, as far as they are named. With each record, the number of later
    /// bad records of its file that are not named; with a file, None.
    fn bad(&self, py: Python<'_>) -> Vec<(Row, Option<u64>)> {
        self.look(py, |report| report.bad.iter().map(|finding| (row(finding), finding.more)).collect())
    }

    /// The warnings up to the last batch.
    fn warnings(&self, py: Python<'_>) -> Vec<Row> {
        self.look(py, |report| report.warnings.iter().map(row).collect())
    }
}

impl Scan {
    /// Looks at the report. A thread that waits for the next batch holds it meanwhile, so the GIL is released.
    fn look<T: Send>(&self, py: Python<'_>, with: impl FnOnce(&Report) -> T + Send) -> T {
        py.detach(|| with(lock(&self.state).report()))
    }
}

/// The Arrow schema of some columns, and of the rules if they are wanted, in the types for one kind of reader: views
/// for Polars, strings for other readers, and what Spark accepts.
#[pyfunction]
#[pyo3(signature = (columns, types, *, rules=false))]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 gives lists by value")]
pub(crate) fn schema(columns: Vec<String>, types: &str, rules: bool) -> PyResult<Batch> {
    let profile = profile(types)?;
    let schema = table::project_as(&columns, profile)
        .ok_or_else(|| PyValueError::new_err(format!("unknown column among {columns:?}")))?;
    let rules = rules.then(|| Arc::new(table::rules(profile)));
    let fields = schema.fields().iter().cloned().chain(rules).collect::<Vec<_>>();
    Ok(Batch(RecordBatch::new_empty(Arc::new(Schema::new(fields)))))
}

/// The column table: path, kind and doc of each.
#[pyfunction]
pub(crate) fn columns() -> Vec<(&'static str, String, &'static str)> {
    table::COLUMNS.iter().map(|column| (column.path, format!("{:?}", column.kind).to_lowercase(), column.doc)).collect()
}
