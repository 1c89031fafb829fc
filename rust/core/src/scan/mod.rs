//! Where the steps meet: files → workers (fetch, inflate, index, frame, filter, build) → batches, in the order of the files.

mod files;
mod order;
mod report;
mod rows;
mod sizes;
mod stored;
mod windows;
mod worker;

use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};

pub use report::{Finding, Report, Unnamed};
pub use sizes::Sizes;

use crate::dedupe::key::RowKeys;
use crate::dedupe::{Dedupe, Duplicates, Told};
use crate::digest::Hashes;
use crate::error::Error;
use crate::filter::{Predicate, Rules, Search};
use crate::inflate::Limits;
use crate::ledger::{Ledger, Row};
use crate::source::object::Remote;
use crate::source::{Keys, Skip};
use files::{Ahead, Files};
use order::{Order, Output};
use worker::Worker;

/// What to read, and how.
pub struct Plan {
    /// The files.
    pub files: Keys,
    /// The way to the buckets that some of them are in.
    pub remote: Option<Arc<Remote>>,
    /// Whether others use it as well: then its owner closes it, not the scan.
    pub keeps_remote: bool,
    /// The columns, made by [`crate::schema::project`].
    pub schema: SchemaRef,
    /// The types that text is handed over in, one for each column or member that is text, in order of depth, with that of the names of
    /// the rules after them: `Utf8`, `LargeUtf8` or `Utf8View`. Views if nothing is said, which cost nothing.
    pub text: Option<Vec<DataType>>,
    /// What the rows must meet.
    pub predicate: Option<Predicate>,
    /// Rules of which a row must meet one; their names become a column after all others.
    pub rules: Option<Vec<(String, Predicate)>>,
    /// Whether the first bad file or record ends the scan.
    pub fail: bool,
    /// What a file may inflate to.
    pub limits: Limits,
    /// Workers.
    pub threads: usize,
    /// Where to note the hashes of the files that are read, for a verification.
    pub hashes: Option<Arc<Hashes>>,
    /// Where to note how large the files that are read are.
    pub sizes: Option<Arc<Sizes>>,
    /// Whether to tell what became of each file, until [`Scan::take_ledger`] is asked.
    pub ledger: bool,
    /// Where to note it besides.
    pub ledgers: Vec<Arc<Ledger>>,
    /// Where to look for records that came before, in this scan or in those before it.
    pub dedupe: Option<Arc<Dedupe>>,
}

/// What all workers share.
struct Shared {
    files: Mutex<Files>,
    order: Order,
    schema: SchemaRef,
    text: Option<Vec<DataType>>,
    search: Option<Search>,
    filter: Option<Arc<Rules>>,
    rules: Option<Arc<Rules>>,
    fail: bool,
    limits: Limits,
    hashes: Option<Arc<Hashes>>,
    sizes: Option<Arc<Sizes>>,
    books: Books,
    /// Whether keys of the rows are wanted.
    keyed: bool,
}

/// Which books are kept on files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Books {
    None,
    /// A row of the ledger for each.
    Rows,
    /// The same, with the hash of its bytes as stored.
    Hashes,
}

impl Books {
    fn of(is_told: bool, ledgers: &[Arc<Ledger>]) -> Self {
        match ledgers.iter().any(|ledger| ledger.wants_hashes()) {
            true => Self::Hashes,
            false if is_told || !ledgers.is_empty() => Self::Rows,
            false => Self::None,
        }
    }
}

impl Shared {
    /// Whether no record of the text can become a row.
    fn is_ruled_out(&self, text: &[u8]) -> bool {
        self.search.as_ref().is_some_and(|search| search.rules_out(text))
    }
}

/// A running scan. It owns its threads; dropping it ends them.
pub struct Scan {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Looks ahead of the workers, where files are in buckets.
    ahead: Option<Arc<Ahead>>,
    remote: Option<Arc<Remote>>,
    keeps_remote: bool,
    dedupe: Option<Arc<Dedupe>>,
    /// Whether rows of the ledger wait in the report.
    tells: bool,
    ledgers: Vec<Arc<Ledger>>,
    /// Copies so far of the file that goes on in the next batch.
    copies: u64,
    report: Report,
}

/// What [`Scan::next`] found.
#[derive(Debug)]
pub enum Next {
    /// The next batch.
    Batch(RecordBatch),
    /// Nothing yet.
    Waiting,
    /// All files are read.
    End,
}

impl Scan {
    /// Starts the workers.
    pub fn start(plan: Plan) -> std::io::Result<Self> {
        let threads = plan.threads.max(1);
        let mut started = Vec::new();
        let (files, ahead) = match &plan.remote {
            None => (Files::Direct(plan.files), None),
            Some(remote) => {
                let (ahead, thread) = Ahead::start(plan.files, remote)?;
                started.push(thread);
                (Files::Ahead(Arc::clone(&ahead)), Some(ahead))
            }
        };
        let shared = Arc::new(Shared {
            files: Mutex::new(files),
            order: Order::new(threads),
            schema: plan.schema,
            text: plan.text,
            search: search(plan.predicate.as_ref(), plan.rules.as_deref()),
            filter: plan.predicate.map(|predicate| Arc::new(Rules::one(predicate))),
            rules: plan.rules.map(|rules| Arc::new(Rules::new(rules))),
            fail: plan.fail,
            limits: plan.limits,
            hashes: plan.hashes,
            sizes: plan.sizes,
            books: Books::of(plan.ledger, &plan.ledgers),
            keyed: plan.dedupe.is_some(),
        });
        let Plan { remote, keeps_remote, dedupe, ledger: tells, ledgers, .. } = plan;
        let report = Report { duplicates: dedupe.is_some().then(Duplicates::default), ..Report::default() };
        let mut scan = Self { shared, workers: started, ahead, remote, keeps_remote, dedupe, tells, ledgers, copies: 0, report };
        for number in 0..threads {
            let worker = Worker::new(Arc::clone(&scan.shared));
            let thread = thread::Builder::new().name(format!("ctfast-{number}")).spawn(move || worker.run())?;
            scan.workers.push(thread);
        }
        Ok(scan)
    }

    /// The next batch in the order of the files, waiting for it so long at most.
    pub fn next(&mut self, patience: Duration) -> Result<Next, Error> {
        let taken = self.shared.order.take(patience);
        if let Some(remote) = &self.remote {
            self.report.requests = remote.requests();
        }
        let Some(output) = taken else { return Ok(Next::Waiting) };
        match output {
            order::Taken::Output(output) => {
                let Output { batch, keys, mut ledger, report, error } = output;
                self.report.add(report);
                let rows = self.without_duplicates(batch, &keys, &mut ledger);
                let noted = self.note(ledger.into_iter().map(|(_, row)| row).collect());
                match error.map_or(rows, Err).and_then(|rows| noted.map(|()| rows)) {
                    Err(error) => {
                        self.close();
                        Err(error)
                    }
                    Ok(rows) => Ok(rows.map_or(Next::Waiting, Next::Batch)),
                }
            }
            order::Taken::End => {
                // A scan that is closed, after a failure or by its reader, has no workers.
                self.report.complete |= !self.workers.is_empty();
                Ok(Next::End)
            }
        }
    }

    /// The rows of the next batch that stay, counted, for each file as well.
    fn without_duplicates(
        &mut self,
        batch: Option<RecordBatch>,
        keys: &RowKeys,
        ledger: &mut [(usize, Row)],
    ) -> Result<Option<RecordBatch>, Error> {
        let Some(dedupe) = &self.dedupe else { return Ok(batch) };
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

    /// Notes what became of some files.
    fn note(&mut self, rows: Vec<Row>) -> Result<(), Error> {
        for ledger in &self.ledgers {
            ledger.extend(rows.iter().cloned())?;
        }
        if self.tells {
            self.report.ledger.extend(rows);
        }
        Ok(())
    }

    /// What was read up to the last batch.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What became of each file since this was last asked, up to the last batch.
    pub fn take_ledger(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.report.ledger)
    }

    /// Ends the workers and waits for them.
    pub fn close(&mut self) {
        self.shared.order.close();
        if let Some(remote) = &self.remote {
            self.report.requests = remote.requests();
        }
        if let Some(ahead) = &self.ahead {
            ahead.close();
        }
        if let Some(remote) = self.remote.as_ref().filter(|_| !self.keeps_remote) {
            remote.close();
        }
        for worker in self.workers.drain(..) {
            // A panic of a worker was told by `Order` as the end of its task.
            let _ = worker.join();
        }
    }
}

/// What a file must have for any row.
fn search(predicate: Option<&Predicate>, rules: Option<&[(String, Predicate)]>) -> Option<Search> {
    let any = rules.map(|rules| Predicate::Any(rules.iter().map(|(_, rule)| rule.clone()).collect()));
    Search::new(&Predicate::All(predicate.cloned().into_iter().chain(any).collect()))
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.close();
    }
}
