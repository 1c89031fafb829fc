//! `Listing`: which files a scan would read, without a look inside, as an object of Python.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::Builder;
use std::time::Duration;

use ctfast_core::ledger;
use ctfast_core::scan::Finding;
use ctfast_core::source::{self, Barren, Keys, Listed, Selection, Skip, keys};
use ctfast_core::{Error, ErrorKind};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::to_exception;
use crate::ledger::{Ledger, shared};
use crate::patience::lock;
use crate::remote::Remote;
use crate::told::{Row, by_name, row};

/// Files of a page.
const PAGE: usize = 1_000;
/// Steps of a listing that are told at once.
const STEPS: usize = 10_000;
/// Pages that wait for their reader.
const AHEAD: usize = 2;
/// How long a wait may last before Ctrl-C is looked for.
const PATIENCE: Duration = Duration::from_millis(50);

/// Files: their sizes, `ETag`s and times of change, as far as the listing tells.
type Page = Vec<(String, Option<u64>, Option<String>, Option<i64>)>;

/// Files or folders by reason.
type Counts = BTreeMap<&'static str, u64>;

/// Accounts, regions and kinds that a listing has come across.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Seen(pub(crate) Arc<source::Seen>);

#[pymethods]
impl Seen {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    /// By the names of the arguments that ask for them.
    fn names(&self) -> BTreeMap<&'static str, Vec<String>> {
        ["accounts", "regions", "kinds"].into_iter().zip(self.0.names()).collect()
    }

    /// The sources that gave no file to read: each with the files and folders that were passed over, by reason.
    fn barren(&self) -> Vec<(String, Counts, Counts)> {
        let rows = self.0.barren().into_iter();
        rows.map(|Barren { source, skipped, pruned }| (source, by_name(&skipped), by_name(&pruned))).collect()
    }
}

/// A listing that is under way, on a thread of its own. It ends with the listing; `Remote.close` ends its requests.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Listing {
    parts: Mutex<Receiver<Message>>,
    told: Mutex<Part>,
}

/// The next part, or `None` at the end: a thread that goes without it has failed.
type Message = Result<Option<Part>, Error>;

/// A part of a listing, or all of it up to now.
#[derive(Default)]
struct Part {
    page: Page,
    skipped: BTreeMap<Skip, u64>,
    pruned: BTreeMap<Skip, u64>,
    bad: Vec<Finding>,
    has_ended: bool,
}

impl Part {
    /// Takes the next files until the page is full, the files end, or it is time to tell; whether that was the end.
    fn fill(&mut self, files: &mut Keys, ledgers: &[Arc<ctfast_core::ledger::Ledger>]) -> Result<bool, Error> {
        let note = |row: ledger::Row| ledgers.iter().try_for_each(|ledger| ledger.extend([row.clone()]));
        for _ in 0..STEPS {
            match files.next() {
                None => return Ok(true),
                Some(Listed::Broken(error)) => return Err(error),
                Some(Listed::File(entry)) => self.page.push((entry.key, entry.size, entry.etag, entry.modified)),
                Some(Listed::Skipped(entry, reason)) => {
                    note(ledger::Row::passed(entry, reason))?;
                    *self.skipped.entry(reason).or_default() += 1;
                }
                Some(Listed::Pruned(folder, reason)) => {
                    note(ledger::Row::pruned(folder, reason))?;
                    *self.pruned.entry(reason).or_default() += 1;
                }
                Some(Listed::Failed(error)) => {
                    note(ledger::Row::failed(&error))?;
                    self.bad.push(Finding { error, records_kept: 0, more: None });
                }
            }
            if self.page.len() == PAGE {
                break;
            }
        }
        Ok(false)
    }

    /// Adds the counts and findings of a later part.
    fn add(&mut self, part: Self) {
        for (counts, more) in [(&mut self.skipped, part.skipped), (&mut self.pruned, part.pruned)] {
            for (reason, count) in more {
                *counts.entry(reason).or_default() += count;
            }
        }
        self.bad.extend(part.bad);
    }
}

/// Lists until all is told, or nobody listens any more.
fn run(mut files: Keys, ledgers: &[Arc<ctfast_core::ledger::Ledger>], parts: &SyncSender<Message>) {
    loop {
        let mut part = Part::default();
        let filled = part.fill(&mut files, ledgers);
        let is_end = !matches!(filled, Ok(false));
        if parts.send(filled.map(|_| Some(part))).is_err() {
            return;
        }
        if is_end {
            // Nobody to tell it to when the reader has gone.
            let _ = parts.send(Ok(None));
            return;
        }
    }
}

#[pymethods]
impl Listing {
    #[new]
    #[pyo3(signature = (paths, *, accounts, regions, kinds, since, until, max_delay, floors=None, digests=false, remote=None, seen=None, ledgers=Vec::new()))]
    #[expect(clippy::too_many_arguments, clippy::needless_pass_by_value, reason = "keyword arguments of a private class")]
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
        seen: Option<PyRef<'_, Seen>>,
        ledgers: Vec<PyRef<'_, Ledger>>,
    ) -> PyResult<Self> {
        let seen = seen.map(|seen| Arc::clone(&seen.0));
        let floors = floors.map(Arc::new);
        let selection = Selection { accounts, regions, kinds, since, until, max_delay, files: None, floors, digests, seen };
        let files = keys(paths, selection, remote.map(|remote| Arc::clone(&remote.0)));
        let ledgers = shared(&ledgers);
        let (sender, parts) = sync_channel(AHEAD);
        let thread = Builder::new().name("ctfast-keys".to_owned()).spawn(move || run(files, &ledgers, &sender));
        thread.map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(Self { parts: Mutex::new(parts), told: Mutex::default() })
    }

    /// The next page of files, in order, or None at the end.
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
                    told.add(part);
                    if !page.is_empty() {
                        return Ok(Some(page));
                    }
                }
            }
        }
        Ok(None)
    }

    /// How many files and folders were passed over, and why.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = lock(&self.told);
        let dict = PyDict::new(py);
        dict.set_item("skipped", by_name(&state.skipped))?;
        dict.set_item("pruned", by_name(&state.pruned))?;
        Ok(dict)
    }

    /// The files and folders that cannot be listed.
    fn bad(&self) -> Vec<Row> {
        lock(&self.told).bad.iter().map(row).collect()
    }
}
