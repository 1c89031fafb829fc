//! One worker: reads whole files, one after another, with buffers that it reuses.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use super::files::Item;
use super::order::{Output, Turn};
use super::report::{Finding, Report};
use super::rows::Rows;
use super::shared::{Books, Shared};
use crate::arena::Arena;
use crate::bounds::{TASK_BYTES, TASK_FILES, UNKNOWN_BYTES};
use crate::columns::retyped;
use crate::error::{Error, ErrorKind};
use crate::event::Framing;
use crate::inflate::Reader;
use crate::json::Index;
use crate::ledger::Row;
use crate::source::{Listed, Skip};

pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    turn: Turn,
    /// What happened since the last output.
    pub(super) report: Report,
    ledger: Vec<(usize, Row)>,
    pub(super) stored: Vec<u8>,
    pub(super) reader: Reader,
    pub(super) arena: Arena,
    /// The text of one file that is larger than the arena.
    pub(super) large: Arena,
    pub(super) index: Index,
    pub(super) rows: Rows,
    /// The file that is being read.
    pub(super) path: PathBuf,
    /// The size of the file, if that is known.
    pub(super) size: Option<u64>,
    /// SHA-256 of the file as stored, if that is wanted and known.
    pub(super) sha256: Option<String>,
}

/// The scan is closed, or has failed: no more work.
pub(super) struct Closed;

impl Worker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            rows: Rows::new(&shared),
            reader: Reader::new(shared.limits),
            shared,
            turn: 0,
            report: Report::default(),
            ledger: Vec::new(),
            stored: Vec::new(),
            arena: Arena::new(0),
            large: Arena::new(0),
            index: Index::default(),
            path: PathBuf::new(),
            size: None,
            sha256: None,
        }
    }

    /// Runs tasks until there are no more.
    pub(super) fn run(mut self) {
        while let Some((turn, task)) = self.next_task() {
            let result = task.into_iter().try_for_each(|item| self.visit(item)).and_then(|()| self.flush());
            drop(turn);
            if result.is_err() {
                return;
            }
        }
    }

    /// The next files in order, of about a task's size. Their turn begins before the source is asked for them, so that
    /// a reader waiting for this turn learns of a source that panics.
    fn next_task(&mut self) -> Option<(Finish, Vec<Item>)> {
        if !self.shared.order.wait_for_room() {
            return None;
        }
        let shared = Arc::clone(&self.shared);
        let mut files = shared.files.lock().unwrap_or_else(PoisonError::into_inner);
        self.turn = shared.order.begin();
        let turn = Finish { shared: Arc::clone(&shared), turn: self.turn };
        let mut task = Vec::new();
        let mut bytes = 0;
        while task.len() < TASK_FILES && bytes < TASK_BYTES {
            let Some(item) = files.next(!task.is_empty()) else { break };
            if let Listed::File(entry) = &item.listed {
                bytes += entry.size.unwrap_or(UNKNOWN_BYTES);
            }
            task.push(item);
        }
        if task.is_empty() {
            shared.order.end();
            return None;
        }
        Some((turn, task))
    }

    fn visit(&mut self, Item { listed, fetch }: Item) -> Result<(), Closed> {
        match listed {
            Listed::Skipped(entry, reason) => {
                self.note(|| Row::passed(entry, reason));
                self.report.skip(reason);
                Ok(())
            }
            Listed::Pruned(folder, reason) => {
                self.note(|| Row::pruned(folder, reason));
                self.report.prune(reason);
                Ok(())
            }
            Listed::Failed(error) => {
                self.note(|| Row::failed(&error));
                self.bad_file(error, 0)
            }
            Listed::Broken(error) => Err(self.end(error)),
            Listed::File(entry) => {
                let row = self.keeps_books().then(|| Row::of(entry.clone()));
                let outcome = self.file(entry, fetch.as_ref())?;
                self.settle(outcome, row)
            }
        }
    }

    /// Counts the file by its outcome.
    fn settle(&mut self, outcome: Outcome, row: Option<Row>) -> Result<(), Closed> {
        self.rows.tell(&mut self.report);
        let outcome = match (outcome, self.rows.skips_file()) {
            (Outcome::Read(None), Some(reason)) => Outcome::Skipped(reason),
            (outcome, _) => outcome,
        };
        let Rows { read, bad, filtered, .. } = self.rows;
        let (kept, skipped) = (self.rows.kept(), filtered + self.rows.skipped());
        let open = self.rows.unsettled();
        if let Some(row) = row {
            let (size, sha256) = (row.size.or(self.size), self.sha256.take());
            self.note(|| outcome.noted(Row { size, read, bad, skipped, open, sha256, ..row }));
        }
        self.report.records_bad += self.rows.bad;
        if let Some(error) = self.rows.tell_bad(&mut self.report) {
            self.fail(error)?;
        }
        match outcome {
            Outcome::Read(warning) => {
                self.report.files_read += 1;
                if let Some(error) = warning {
                    let error = error.in_file(&self.rows.key);
                    self.report.add_warning(Finding { error, records_kept: kept, more: None });
                }
            }
            Outcome::Skipped(reason) => self.report.skip(reason),
            Outcome::Bad(error) => return self.bad_file(error.in_file(&self.rows.key), kept),
        }
        Ok(())
    }

    fn keeps_books(&self) -> bool {
        self.shared.books != Books::None
    }

    /// Records what became of a file, if there is a ledger.
    fn note(&mut self, row: impl FnOnce() -> Row) {
        if self.keeps_books() {
            self.ledger.push((self.rows.builders.rows(), row()));
        }
    }

    fn bad_file(&mut self, error: Error, records_kept: u64) -> Result<(), Closed> {
        self.report.add_bad_file(Finding { error: error.clone(), records_kept, more: None });
        self.fail(error)
    }

    /// Ends the scan here, if failures end it.
    fn fail(&mut self, error: Error) -> Result<(), Closed> {
        if self.shared.fail { Err(self.end(error)) } else { Ok(()) }
    }

    /// Ends the scan here.
    fn end(&mut self, error: Error) -> Closed {
        let (report, ledger) = (std::mem::take(&mut self.report), std::mem::take(&mut self.ledger));
        self.shared.order.put(self.turn, Output { error: Some(error), report, ledger, ..Output::default() });
        Closed
    }

    /// Hands over the rows so far. The text of the next rows goes to a new arena, unless no row points into this one.
    pub(super) fn flush(&mut self) -> Result<(), Closed> {
        self.hand_over(self.arena.len())
    }

    /// Hands over the rows so far. The text in the arena from `read` on is unread: it moves to the front.
    pub(super) fn hand_over(&mut self, read: usize) -> Result<(), Closed> {
        self.rows.tell(&mut self.report);
        let ledger = std::mem::take(&mut self.ledger);
        let batch = self.rows.builders.finish(&mut self.arena, read);
        let mut report = std::mem::take(&mut self.report);
        let batch = batch.map(|batch| {
            report.misfits = batch.misfits;
            let rows = match &mut self.rows.rules {
                Some((_, tags)) => tags.finish(&batch.rows),
                None => batch.rows,
            };
            match &self.shared.text {
                // Converted here, on many threads: the consumer of the batches has one thread, and its own work.
                Some(types) => retyped(rows, types),
                None => rows,
            }
        });
        let keys = self.rows.take_keys();
        self.rows.start_batch();
        if self.shared.order.put(self.turn, Output { batch, keys, ledger, report, error: None }) {
            Ok(())
        } else {
            Err(Closed)
        }
    }
}

/// Places damage that has no record yet in the record that comes next.
pub(super) fn in_record(error: Error, framing: &Framing) -> Error {
    let unknown = error.is_damage() && error.location().record.is_none();
    if unknown && framing.has_begun() { error.in_record(framing.records()) } else { error }
}

/// The outcome of reading a file.
pub(super) enum Outcome {
    Read(Option<Error>),
    Skipped(Skip),
    Bad(Error),
}

impl Outcome {
    /// The row of the file, with this outcome.
    fn noted(&self, row: Row) -> Row {
        match self {
            Self::Read(_) => row,
            Self::Skipped(reason) => row.skipped(*reason),
            Self::Bad(error) => row.bad(error),
        }
    }
}

/// Tells the reader that a task has ended, however it ends.
struct Finish {
    shared: Arc<Shared>,
    turn: Turn,
}

impl Drop for Finish {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.order.put(self.turn, Output { error: Some(Error::whole(ErrorKind::Bug)), ..Output::default() });
        }
        self.shared.order.finish(self.turn);
    }
}
