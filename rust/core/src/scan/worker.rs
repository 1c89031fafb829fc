//! One worker: whole files, one after another, with buffers that it keeps.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::files::{Body, Item, Wait};
use super::order::{Output, Turn};
use super::report::{Finding, Report};
use super::rows::Rows;
use super::{Books, Shared};
use crate::arena::Arena;
use crate::bounds::{ARENA, INFLATED_WHOLE, INFLATED_WHOLE_RATIO, STORED_WHOLE, TASK_BYTES, TASK_FILES, UNKNOWN_BYTES};
use crate::columns::retyped;
use crate::digest::{Content, Running};
use crate::error::{Error, ErrorKind};
use crate::event::Framing;
use crate::hash::{Hashed, hex, sha256};
use crate::inflate::{Inflater, Next, Unwrapped, is_gzip, is_wrapped, length_hint};
use crate::json::Index;
use crate::ledger::Row;
use crate::source::object::{Bucket, Got};
use crate::source::{At, Entry, Listed, Skip, unreadable};

/// How long rows wait for the body of the next object.
const LATE: Duration = Duration::from_millis(100);

pub(super) struct Worker {
    shared: Arc<Shared>,
    turn: Turn,
    /// What happened since the last output.
    report: Report,
    ledger: Vec<(usize, Row)>,
    stored: Vec<u8>,
    inflater: Inflater,
    pub(super) arena: Arena,
    /// The text of one file that is larger than the arena.
    large: Arena,
    pub(super) index: Index,
    pub(super) rows: Rows,
    /// The file that is read.
    path: PathBuf,
    /// How large it is, if that is known.
    size: Option<u64>,
    /// Of its bytes as stored, if that is wanted and known.
    sha256: Option<String>,
}

/// The scan is closed, or has failed: no more work.
pub(super) struct Closed;

impl Worker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            rows: Rows::new(&shared),
            shared,
            turn: 0,
            report: Report::default(),
            ledger: Vec::new(),
            stored: Vec::new(),
            inflater: Inflater::new(),
            arena: Arena::new(0),
            large: Arena::new(0),
            index: Index::default(),
            path: PathBuf::new(),
            size: None,
            sha256: None,
        }
    }

    /// Takes tasks until there are no more.
    pub(super) fn run(mut self) {
        while let Some((turn, task)) = self.next_task() {
            let result = task.into_iter().try_for_each(|item| self.visit(item)).and_then(|()| self.flush());
            drop(turn);
            if result.is_err() {
                return;
            }
        }
    }

    /// The next files in order, of about a task's size. Their turn begins before they are asked for, so that whoever waits for it hears
    /// of a source that panics.
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

    fn visit(&mut self, Item { listed, body }: Item) -> Result<(), Closed> {
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
                let outcome = self.file(entry, body)?;
                self.settle(outcome, row)
            }
        }
    }

    /// Counts the file by how it came out.
    fn settle(&mut self, outcome: Outcome, row: Option<Row>) -> Result<(), Closed> {
        self.rows.tell(&mut self.report);
        let outcome = match (outcome, self.rows.skips_file()) {
            (Outcome::Read(None), Some(reason)) => Outcome::Skipped(reason),
            (outcome, _) => outcome,
        };
        let Rows { read, bad, filtered, .. } = self.rows;
        let (kept, skipped) = (self.rows.kept(), filtered + self.rows.skipped());
        if let Some(row) = row {
            let (size, sha256) = (row.size.or(self.size), self.sha256.take());
            self.note(|| outcome.noted(Row { size, read, bad, skipped, sha256, ..row }));
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

    /// Notes what became of a file, if anybody keeps books.
    fn note(&mut self, row: impl FnOnce() -> Row) {
        if self.keeps_books() {
            self.ledger.push((self.rows.builders.rows(), row()));
        }
    }

    fn bad_file(&mut self, error: Error, records_kept: u64) -> Result<(), Closed> {
        self.report.add_bad_file(Finding { error: error.clone(), records_kept, more: None });
        self.fail(error)
    }

    /// Ends the scan here, if failures are to end it.
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
    fn flush(&mut self) -> Result<(), Closed> {
        self.hand_over(self.arena.len())
    }

    /// Hands over the rows so far. The text in the arena from `read` on is yet to be read: it moves to the front.
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
                // Here, on many threads: whoever takes the batches has one, and work of its own.
                Some(types) => retyped(rows, types),
                None => rows,
            }
        });
        let keys = self.rows.take_keys();
        self.rows.start_batch();
        if self.shared.order.put(self.turn, Output { batch, keys, ledger, report, error: None }) { Ok(()) } else { Err(Closed) }
    }

    fn file(&mut self, Entry { key, at, size, first, .. }: Entry, body: Option<Body>) -> Result<Outcome, Closed> {
        self.rows.start(key, first);
        (self.size, self.sha256) = (None, None);
        match at {
            At::Disk(path) => {
                self.path = path;
                self.disk_file(size)
            }
            At::Bucket(bucket) => {
                self.path = PathBuf::from(&self.rows.key);
                self.object(&bucket, size, body)
            }
        }
    }

    fn disk_file(&mut self, size: Option<u64>) -> Result<Outcome, Closed> {
        self.note_size(size);
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) => return Ok(Outcome::Bad(unreadable(&error))),
        };
        if size.is_some_and(|size| size > STORED_WHOLE) {
            return self.streamed(file);
        }
        self.stored.clear();
        let read = match file.by_ref().take(STORED_WHOLE + 1).read_to_end(&mut self.stored) {
            Ok(read) => read as u64,
            Err(error) => return Ok(Outcome::Bad(unreadable(&error))),
        };
        let stored = std::mem::take(&mut self.stored);
        let outcome = if read > STORED_WHOLE {
            // It grew since it was listed.
            self.streamed(io::Cursor::new(&stored).chain(file))
        } else {
            self.hashed(&stored)
        };
        self.stored = stored;
        outcome
    }

    fn object(&mut self, bucket: &Arc<Bucket>, mut size: Option<u64>, body: Option<Body>) -> Result<Outcome, Closed> {
        if let Some(body) = body {
            match self.body(&body)? {
                Ok(Got::Whole(bytes)) => {
                    self.note_size(Some(bytes.len() as u64));
                    return self.hashed(&bytes);
                }
                Ok(Got::Large(bytes)) => size = Some(bytes),
                Err(error) => return Ok(Outcome::Bad(error)),
            }
        }
        self.note_size(size);
        if self.rows.builders.rows() > 0 {
            self.flush()?;
        }
        self.streamed(bucket.stream(&self.rows.key, size))
    }

    /// Waits for the body of an object. While it is late, the rows so far are handed over: they may be all that is asked for, and
    /// if nobody takes them any more, there is nothing to wait for.
    fn body(&mut self, body: &Body) -> Result<Result<Got, Error>, Closed> {
        loop {
            match body.wait(LATE) {
                Wait::Got(got) => return Ok(got),
                Wait::Late => self.flush()?,
                Wait::Gone if self.shared.order.is_closed() => return Err(Closed),
                Wait::Gone => return Ok(Err(Error::whole(ErrorKind::Bug))),
            }
        }
    }

    /// Notes how large the file is, for whoever wants to know.
    fn note_size(&mut self, size: Option<u64>) {
        self.size = size;
        if let (Some(sizes), Some(size)) = (&self.shared.sizes, size) {
            sizes.put(&self.rows.key, size);
        }
    }

    /// Reads a file from memory, and notes its hash if that is wanted.
    fn hashed(&mut self, stored: &[u8]) -> Result<Outcome, Closed> {
        self.sha256 = (self.shared.books == Books::Hashes).then(|| hex(&sha256(stored)));
        self.whole(stored)
    }

    /// Reads a file as it comes, and notes its hash if that is wanted.
    fn streamed(&mut self, file: impl Read) -> Result<Outcome, Closed> {
        let limits = self.shared.limits;
        if self.shared.books != Books::Hashes {
            return self.stream(Unwrapped::new(file, limits));
        }
        let mut file = Hashed::new(file);
        let outcome = self.stream(Unwrapped::new(&mut file, limits))?;
        self.sha256 = file.finish().map(|hash| hex(&hash));
        Ok(outcome)
    }

    /// Reads a file from memory: at once when it is a right gzip file of an ordinary size, else as a stream.
    fn whole(&mut self, stored: &[u8]) -> Result<Outcome, Closed> {
        let length = length_hint(stored);
        let limits = self.shared.limits;
        let most = limits.most(stored.len() as u64);
        if is_gzip(stored) && length as u64 <= most {
            if length <= ARENA {
                self.make_room(length)?;
                let start = self.arena.len();
                if let Some(members) = self.inflater.whole(stored, &mut self.arena) {
                    let text = self.arena.text(start);
                    if text.len() as u64 <= most && !is_wrapped(text) {
                        note_content(&self.shared, &self.path, &mut self.report, Inflated { stored, text, members });
                        if self.shared.is_ruled_out(text) {
                            self.arena.truncate(start);
                            return Ok(Outcome::Skipped(Skip::Constant));
                        }
                        return self.text(start);
                    }
                    // The length was that of the last member alone, or this is not yet the text.
                    self.arena.truncate(start);
                }
            } else if length <= INFLATED_WHOLE && length <= stored.len().saturating_mul(INFLATED_WHOLE_RATIO) {
                let mut large = std::mem::replace(&mut self.large, Arena::new(0));
                large.truncate(0);
                large.reserve(length);
                let members = self.inflater.whole(stored, &mut large);
                let members = members.filter(|_| !is_wrapped(large.text(0)));
                let outcome = members.map(|members| self.large(stored, &large, members));
                self.large = large;
                if let Some(outcome) = outcome {
                    return outcome;
                }
            }
        }
        self.stream(Unwrapped::new(stored, limits))
    }

    /// Reads a file whose text does not fit in the arena, piece by piece.
    fn large(&mut self, stored: &[u8], large: &Arena, members: u32) -> Result<Outcome, Closed> {
        note_content(&self.shared, &self.path, &mut self.report, Inflated { stored, text: large.text(0), members });
        if self.shared.is_ruled_out(large.text(0)) {
            return Ok(Outcome::Skipped(Skip::Constant));
        }
        let mut at = 0;
        self.windows(|arena| {
            let text = large.text(at);
            let piece = &text[..text.len().min(arena.room())];
            arena.append(|memory| memory.extend_from_slice(piece));
            at += piece.len();
            if at == large.len() { Next::End(None) } else { Next::More }
        })
    }

    /// Sees to it that the arena has room for so much text: the current one, or a new one.
    pub(super) fn make_room(&mut self, length: usize) -> Result<(), Closed> {
        if self.rows.builders.rows() == 0 {
            self.arena.truncate(0);
        }
        if self.arena.room() < length {
            self.flush()?;
        }
        if self.arena.room() < length {
            self.arena = Arena::new(length.max(ARENA));
        }
        Ok(())
    }

    /// Reads a file window by window.
    fn stream(&mut self, mut stream: Unwrapped<impl Read>) -> Result<Outcome, Closed> {
        // What CloudTrail signs is the text of one layer of gzip.
        let hashes = self.shared.hashes.clone().filter(|_| !stream.is_wrapped());
        let mut hashing = hashes.map(|hashes| (hashes, Running::new()));
        self.rows.decoded = stream.is_decoded();
        let path = self.path.clone();
        let mut inflated = 0;
        let outcome = self.windows(|arena| {
            let before = arena.len();
            let next = stream.fill(arena);
            let text = arena.text(before);
            inflated += text.len() as u64;
            if let Some((_, hash)) = &mut hashing {
                hash.update(text);
            }
            if let (Some(trailing), Some((hashes, hash))) = (next.trailing(), hashing.take_if(|_| next.trailing().is_some())) {
                let members = stream.members();
                // A plain file is read all the same, but it is not what CloudTrail delivers.
                if members > 0 {
                    hashes.put(&path, hash.content(stream.offset(), members, trailing));
                }
            }
            next
        });
        self.report.bytes_stored += stream.offset();
        self.report.bytes_inflated += inflated;
        outcome
    }
}

/// A file that was inflated at once.
struct Inflated<'a> {
    stored: &'a [u8],
    text: &'a [u8],
    members: u32,
}

/// Counts the file, and notes the hash of its text while that is in the cache.
fn note_content(shared: &Shared, path: &Path, report: &mut Report, Inflated { stored, text, members }: Inflated<'_>) {
    let (stored, inflated) = (stored.len() as u64, text.len() as u64);
    report.bytes_stored += stored;
    report.bytes_inflated += inflated;
    if let Some(hashes) = &shared.hashes {
        hashes.put(path, Content::of(text, stored, members));
    }
}

/// Damage that no record has told of lies in the record that comes next.
pub(super) fn in_record(error: Error, framing: &Framing) -> Error {
    let unknown = error.is_damage() && error.location().record.is_none();
    if unknown && framing.has_begun() { error.in_record(framing.records()) } else { error }
}

/// How a file came out.
pub(super) enum Outcome {
    Read(Option<Error>),
    Skipped(Skip),
    Bad(Error),
}

impl Outcome {
    /// The row of the file, with how it came out.
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
