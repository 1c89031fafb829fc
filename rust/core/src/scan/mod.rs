//! Where the steps meet: files → workers (fetch, inflate, index, frame, filter, build) → batches, in the order of the
//! files.

mod files;
mod live;
mod order;
mod plan;
mod report;
mod rows;
mod shared;
mod stored;
mod windows;
mod worker;

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arrow_array::RecordBatch;

pub use live::Live;
pub use plan::{Plan, Query, Run, Selection, Sources, text_type};
pub use report::{Finding, Report, Unnamed};

use crate::columns::Recut;
use crate::dedupe::key::RowKeys;
use crate::dedupe::{Dedupe, Duplicates, Told};
use crate::error::Error;
use crate::ledger::Row;
use crate::schema::Profile;
use crate::source::{Keys, Skip};
use files::{Ahead, Files};
use order::Output;
use shared::Shared;
use worker::Worker;

/// A running scan. It owns its threads; dropping it ends them.
pub struct Scan {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Prefetches for the workers, if files are in buckets.
    ahead: Option<Arc<Ahead>>,
    live: Live,
    /// Duplicates so far in the file that continues in the next batch.
    copies: u64,
    recut: Option<Recut>,
    /// A batch without rows, for a reader who gets batches as they come, with strings as views.
    no_rows: Option<RecordBatch>,
    report: Report,
}

/// What [`Scan::next`] found.
#[derive(Debug)]
pub enum Next {
    /// The next batch.
    Batch(RecordBatch),
    /// No batch yet.
    Waiting,
    /// All files are read.
    End,
}

impl Scan {
    /// Starts the workers.
    pub fn start(plan: &Plan, live: Live) -> io::Result<Self> {
        Self::of_keys(plan.selection.keys(&live), plan, live)
    }

    /// Starts the workers, with these files in place of those that the selection names.
    pub fn of_keys(files: Keys, plan: &Plan, mut live: Live) -> io::Result<Self> {
        let threads = plan.run.threads.max(1);
        let mut workers = Vec::new();
        let (files, ahead) = match &live.remote {
            None => (Files::Direct(files), None),
            Some(remote) => {
                let (ahead, thread) = Ahead::start(files, remote)?;
                workers.push(thread);
                (Files::Ahead(Arc::clone(&ahead)), Some(ahead))
            }
        };
        if plan.query.dedupe && live.dedupe.is_none() {
            live.dedupe = Some(Arc::new(Dedupe::new(true)));
        }
        let report = Report { duplicates: live.dedupe.is_some().then(Duplicates::default), ..Report::default() };
        let shared = Arc::new(Shared::new(files, threads, plan, &live));
        let recut = plan.run.recut.map(|profile| Recut::new(plan.query.schema_for(profile)));
        let is_as_it_comes = recut.is_none() && plan.query.text.is_none();
        let no_rows = is_as_it_comes.then(|| RecordBatch::new_empty(plan.query.schema_for(Profile::Views)));
        let mut scan = Self { shared, workers, ahead, live, copies: 0, recut, no_rows, report };
        for number in 0..threads {
            let worker = Worker::new(Arc::clone(&scan.shared));
            let thread = thread::Builder::new().name(format!("ctfast-{number}")).spawn(move || worker.run())?;
            scan.workers.push(thread);
        }
        Ok(scan)
    }

    /// The next batch in the order of the files, waiting for it for `patience` at most.
    pub fn next(&mut self, patience: Duration) -> Result<Next, Error> {
        loop {
            if let Some(batch) = self.recut.as_mut().and_then(Recut::next) {
                return Ok(Next::Batch(batch));
            }
            let next = self.next_as_it_comes(patience)?;
            match (&mut self.recut, next) {
                (Some(recut), Next::Batch(batch)) => recut.push(&batch),
                (Some(recut), Next::End) => {
                    recut.finish();
                    return Ok(recut.next().map_or(Next::End, Next::Batch));
                }
                (_, next) => return Ok(next),
            }
        }
    }

    /// A batch without rows, for a reader who gets batches as they come, with strings as views.
    #[must_use]
    pub fn no_rows(&self) -> Option<RecordBatch> {
        self.no_rows.clone()
    }

    fn next_as_it_comes(&mut self, patience: Duration) -> Result<Next, Error> {
        let taken = self.shared.order.take(patience);
        if let Some(remote) = &self.live.remote {
            self.report.requests = remote.requests();
        }
        let Some(output) = taken else { return Ok(Next::Waiting) };
        match output {
            order::Taken::Output(output) => {
                let Output { batch, keys, mut ledger, report, error } = output;
                self.report.add(report);
                let rows = match error {
                    // The rows were dropped, and not compared with earlier records.
                    Some(error) => Err(error),
                    None => self.without_duplicates(batch, &keys, &mut ledger),
                };
                let noted = self.note(&ledger);
                match rows.and_then(|rows| noted.map(|()| rows)) {
                    Err(error) => {
                        self.close();
                        Err(error)
                    }
                    Ok(rows) => Ok(rows.map_or(Next::Waiting, Next::Batch)),
                }
            }
            order::Taken::End => {
                // A scan that was closed, after a failure or by its reader, has no workers.
                self.report.complete |= !self.workers.is_empty();
                Ok(Next::End)
            }
        }
    }

    /// The rows of the next batch without duplicates, which are counted, also for each file.
    fn without_duplicates(
        &mut self,
        batch: Option<RecordBatch>,
        keys: &RowKeys,
        ledger: &mut [(usize, Row)],
    ) -> Result<Option<RecordBatch>, Error> {
        if let (Some(noted), Some(_)) = (&self.live.keys, &batch) {
            noted.add(keys);
        }
        let Some(dedupe) = &self.live.dedupe else { return Ok(batch) };
        let none = Told { rows: None, found: Duplicates::default(), stays: Vec::new() };
        let Told { rows, found, stays } = batch.map_or(Ok(none), |batch| dedupe.next(batch, keys))?;
        let copies = |stays: &[bool]| stays.iter().filter(|stays| !**stays).count() as u64;
        let mut start = 0;
        for (end, row) in ledger {
            let copies = std::mem::take(&mut self.copies) + copies(&stays[start..*end]);
            start = *end;
            row.duplicates = Some(copies);
            if dedupe.removes() {
                row.read -= copies;
                row.skipped += copies;
            }
        }
        self.copies += copies(&stays[start..]);
        self.report.duplicates.get_or_insert_default().add(found);
        if dedupe.removes() {
            self.report.records_read -= found.copies;
            if found.copies > 0 {
                *self.report.skipped_records.entry(Skip::Duplicate).or_default() += found.copies;
            }
        }
        Ok(rows)
    }

    /// Records what became of some files.
    fn note(&self, rows: &[(usize, Row)]) -> Result<(), Error> {
        self.live.ledgers.iter().try_for_each(|ledger| ledger.extend(rows.iter().map(|(_, row)| row.clone())))
    }

    /// The report of what was read up to the last batch.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Ends the workers and waits for them.
    pub fn close(&mut self) {
        self.shared.order.close();
        if let Some(remote) = &self.live.remote {
            self.report.requests = remote.requests();
        }
        if let Some(ahead) = &self.ahead {
            ahead.close();
        }
        if let Some(remote) = self.live.remote.as_ref().filter(|_| !self.live.keeps_remote) {
            remote.close();
        }
        for worker in self.workers.drain(..) {
            // `Order` has reported a panic of a worker already, as the end of its task.
            let _ = worker.join();
        }
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.close();
    }
}
