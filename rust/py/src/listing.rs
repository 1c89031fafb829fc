//! `Listing`: the files that a scan would read, without opening them, as a Python object.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::Builder;
use std::time::Duration;

use ctfast_core::ledger;
use ctfast_core::scan::Finding;
use ctfast_core::source::{self, Barren, Entry, Keys, Listed, split};
use ctfast_core::{Error, ErrorKind, Live, Report};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::to_exception;
use crate::key::Paths;
use crate::ledger::{Ledger, shared};
use crate::patience::lock;
use crate::plan::Selection;
use crate::remote::Remote;
use crate::split::Planner;
use crate::told::{Row, by_name, row};

/// Files per page.
const PAGE: usize = 1_000;
/// The most steps of a listing that are sent at once.
const STEPS: usize = 10_000;
/// The most pages that wait for their reader.
const AHEAD: usize = 2;
/// How often a wait checks for Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(50);

/// Files: their sizes, `ETag`s and modification times, as far as the listing has them.
type Page = Vec<(String, Option<u64>, Option<String>, Option<i64>)>;

/// An object in an archive class: as a file of a page, with its class and whether it is restored.
type Archived = (String, Option<u64>, Option<String>, Option<i64>, &'static str, &'static str);

/// Files or folders by reason.
type Counts = BTreeMap<&'static str, u64>;

/// Accounts, regions and kinds that a listing has found.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Seen(pub(crate) Arc<source::Seen>);

#[pymethods]
impl Seen {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    /// The names, by the arguments that select them.
    fn names(&self) -> BTreeMap<&'static str, Vec<String>> {
        ["accounts", "regions", "kinds"].into_iter().zip(self.0.names()).collect()
    }

    /// The sources without a file to read, each with the files and folders that were skipped, by reason.
    fn barren(&self) -> Vec<(String, Counts, Counts)> {
        let rows = self.0.barren().into_iter();
        rows.map(|Barren { source, skipped, pruned }| (source, by_name(&skipped), by_name(&pruned))).collect()
    }
}

/// A running listing, on its own thread. Dropping it ends the thread; `Remote.close` ends its requests.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Listing {
    parts: Mutex<Receiver<Message>>,
    told: Mutex<Part>,
    plans: bool,
}

/// The next part, or `None` at the end: a thread that ends without it has failed.
type Message = Result<Option<Part>, Error>;

/// A part of a listing, or all of it up to now.
#[derive(Default)]
struct Part {
    page: Page,
    /// Objects in archive classes, if these are told apart.
    archived: Vec<Archived>,
    /// What was passed over, and the files and folders that cannot be listed, as a scan reports them.
    report: Report,
    has_ended: bool,
}

/// A plan that takes the files.
type Plan = Option<Arc<Mutex<split::Planner>>>;

impl Part {
    /// Takes the next files until the page is full, the files end, or it is time to report; returns whether they ended.
    fn fill(
        &mut self,
        files: &mut Keys,
        ledgers: &[Arc<ctfast_core::ledger::Ledger>],
        plan: &Plan,
        archive: bool,
    ) -> Result<bool, Error> {
        let note = |row: ledger::Row| ledgers.iter().try_for_each(|ledger| ledger.extend([row.clone()]));
        for _ in 0..STEPS {
            match files.next() {
                None => return Ok(true),
                Some(Listed::Broken(error)) => return Err(error),
                Some(Listed::File(entry)) => {
                    if let Some(plan) = plan {
                        lock(plan).push(&entry.into());
                        continue;
                    }
                    let Entry { key, size, etag, modified, archived, .. } = entry;
                    match archived.filter(|_| archive) {
                        Some(found) => {
                            let (class, state) = (found.class.name(), found.state.name());
                            self.archived.push((key, size, etag, modified, class, state));
                        }
                        None => self.page.push((key, size, etag, modified)),
                    }
                }
                Some(Listed::Skipped(entry, reason)) => {
                    note(ledger::Row::passed(entry, reason))?;
                    self.report.skip(reason);
                }
                Some(Listed::Pruned(folder, reason)) => {
                    note(ledger::Row::pruned(folder, reason))?;
                    self.report.prune(reason);
                }
                Some(Listed::Failed(error)) => {
                    note(ledger::Row::failed(&error))?;
                    if let Some(plan) = plan {
                        // The error is reported when the split is read.
                        lock(plan).push(&split::Member::unknown(error.location().key.clone().unwrap_or_default()));
                    }
                    self.report.add_bad_file(Finding { error, records_kept: 0, more: None });
                }
            }
            if self.page.len() + self.archived.len() == PAGE {
                break;
            }
        }
        Ok(false)
    }
}

/// Lists until everything is sent, or the receiver is gone.
fn run(
    mut files: Keys,
    ledgers: &[Arc<ctfast_core::ledger::Ledger>],
    plan: &Plan,
    archive: bool,
    parts: &SyncSender<Message>,
) {
    loop {
        let mut part = Part::default();
        let filled = part.fill(&mut files, ledgers, plan, archive);
        let is_end = !matches!(filled, Ok(false));
        if parts.send(filled.map(|_| Some(part))).is_err() {
            return;
        }
        if is_end {
            // The receiver may be gone.
            let _ = parts.send(Ok(None));
            return;
        }
    }
}

#[pymethods]
impl Listing {
    #[new]
    #[pyo3(signature = (
        selection, *, floors=None, remote=None, seen=None, only=None, planner=None, ledgers=Vec::new(), archive=false
    ))]
    #[expect(
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        reason = "keyword arguments of a private class"
    )]
    fn new(
        selection: PyRef<'_, Selection>,
        floors: Option<HashMap<String, String>>,
        remote: Option<PyRef<'_, Remote>>,
        seen: Option<PyRef<'_, Seen>>,
        only: Option<PyRef<'_, Paths>>,
        planner: Option<PyRef<'_, Planner>>,
        ledgers: Vec<PyRef<'_, Ledger>>,
        archive: bool,
    ) -> PyResult<Self> {
        let plan = planner.map(|planner| Arc::clone(&planner.0));
        let plans = plan.is_some();
        let files = selection.0.keys(&Live {
            floors: floors.map(Arc::new),
            remote: remote.map(|remote| Arc::clone(&remote.remote)),
            seen: seen.map(|seen| Arc::clone(&seen.0)),
            files: only.map(|only| Arc::clone(&only.0)),
            ..Live::default()
        });
        let ledgers = shared(&ledgers);
        let (sender, parts) = sync_channel(AHEAD);
        let thread = Builder::new().name("ctfast-keys".to_owned());
        let thread = thread.spawn(move || run(files, &ledgers, &plan, archive, &sender));
        thread.map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(Self { parts: Mutex::new(parts), told: Mutex::default(), plans })
    }

    /// The next page of files, in order, or None at the end. Those that go to a planner are in no page, and some of
    /// these are empty.
    fn next(&self, py: Python<'_>) -> PyResult<Option<Page>> {
        while !lock(&self.told).has_ended {
            let message = match py.detach(|| lock(&self.parts).recv_timeout(PATIENCE)) {
                Err(RecvTimeoutError::Timeout) => {
                    py.check_signals()?;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => Err(Error::whole(ErrorKind::Bug)),
                Ok(message) => message,
            };
            let mut told = lock(&self.told);
            match message {
                Err(error) => {
                    told.has_ended = true;
                    return Err(to_exception(py, &error));
                }
                Ok(None) => told.has_ended = true,
                Ok(Some(mut part)) => {
                    let page = std::mem::take(&mut part.page);
                    told.report.add(part.report);
                    told.archived.append(&mut part.archived);
                    if self.plans || !page.is_empty() || !told.archived.is_empty() {
                        return Ok(Some(page));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The objects in archive classes that were found since the last call; they are in no page.
    fn archived(&self) -> Vec<Archived> {
        std::mem::take(&mut lock(&self.told).archived)
    }

    /// How many files and folders were skipped, and why; how many cannot be listed, and how many of these have no name
    /// below.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let Part { report, .. } = &*lock(&self.told);
        let dict = PyDict::new(py);
        dict.set_item("skipped", by_name(&report.skipped))?;
        dict.set_item("pruned", by_name(&report.pruned))?;
        dict.set_item("bad", report.files_bad)?;
        dict.set_item("unnamed", report.unnamed.files)?;
        Ok(dict)
    }

    /// The files and folders that cannot be listed, the first ones.
    fn bad(&self) -> Vec<Row> {
        lock(&self.told).report.bad.iter().map(row).collect()
    }
}
