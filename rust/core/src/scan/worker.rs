//! One worker: whole files, one after another, with buffers that it keeps.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Shared;
use super::files::{Body, Item, Wait};
use super::order::{Output, Turn};
use super::report::{Finding, Report};
use crate::arena::Arena;
use crate::columns::{Builders, Place, Tags};
use crate::error::{Error, ErrorKind};
use crate::event::{Framing, Origin, Record, Visitor, Wanted};
use crate::filter::Matcher;
use crate::inflate::{Inflater, Next, Stream, is_gzip, length_hint};
use crate::integrity::{Content, Running, sha256};
use crate::json::{Cursor, Index, Value};
use crate::source::object::{Bucket, Got};
use crate::source::{At, Entry, Listed, Skip, unreadable};

/// Text of one batch, when rows point into it. Smaller ones cost more calls, larger ones more memory.
const ARENA: usize = 8 << 20;
/// Files that are stored in more bytes are streamed.
pub(super) const STORED_WHOLE: u64 = 24 << 20;
/// Files that say they inflate to more are streamed: CloudTrail's own end at 50 MB.
const INFLATED_WHOLE: usize = 64 << 20;
/// Text that a streamed file is read in; one document or record must fit in the last.
const WINDOW: usize = 16 << 20;
const LARGEST_WINDOW: usize = 512 << 20;
/// A task ends when its files have this size together, as stored, or at so many files.
const TASK_BYTES: u64 = 1 << 20;
const TASK_FILES: usize = 512;
/// How long rows wait for the body of the next object.
const LATE: Duration = Duration::from_millis(100);
/// Rows of a batch at most, when rows do not point into the text.
const BATCH_ROWS: usize = 64 << 10;

pub(super) struct Worker {
    shared: Arc<Shared>,
    turn: Turn,
    /// What happened since the last output.
    report: Report,
    stored: Vec<u8>,
    inflater: Inflater,
    arena: Arena,
    index: Index,
    rows: Rows,
    /// The file that is read.
    path: PathBuf,
}

/// What becomes of records.
struct Rows {
    builders: Builders,
    filter: Option<Matcher>,
    rules: Option<(Matcher, Tags)>,
    wanted: Wanted,
    record: Record,
    /// The event on a bus that the next record is in.
    envelope: Option<Value>,
    /// Where the window begins in the arena.
    base: u32,
    /// Offset of the window in the text of the file.
    offset: u64,
    key: String,
    digest: bool,
    /// Of the file: records so far that became rows, that the predicate refused, that are none.
    read: u64,
    skipped: u64,
    bad: Vec<Error>,
}

/// The scan is closed, or has failed: no more work.
struct Closed;

impl Worker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let builders = Builders::new(Arc::clone(&shared.schema));
        let (filter, rules) = (shared.filter.as_ref(), shared.rules.as_ref());
        let rows = Rows {
            wanted: filter.iter().chain(&rules).fold(builders.wanted(), |wanted, rules| wanted.and(rules.wanted())),
            builders,
            record: Record::new(),
            envelope: None,
            base: 0,
            offset: 0,
            key: String::new(),
            digest: false,
            read: 0,
            skipped: 0,
            bad: Vec::new(),
            filter: filter.cloned().map(Matcher::new),
            rules: rules.map(|rules| (Matcher::new(Arc::clone(rules)), Tags::new(rules.names()))),
        };
        Self {
            shared,
            turn: 0,
            report: Report::default(),
            stored: Vec::new(),
            inflater: Inflater::new(),
            arena: Arena::new(0),
            index: Index::default(),
            rows,
            path: PathBuf::new(),
        }
    }

    /// Takes tasks until there are no more.
    pub(super) fn run(mut self) {
        while let Some(task) = self.next_task() {
            let turn = Finish { shared: Arc::clone(&self.shared), turn: self.turn };
            let result = task.into_iter().try_for_each(|item| self.visit(item)).and_then(|()| self.flush());
            drop(turn);
            if result.is_err() {
                return;
            }
        }
    }

    /// The next files in order, of about a task's size.
    fn next_task(&mut self) -> Option<Vec<Item>> {
        if !self.shared.order.wait_for_room() {
            return None;
        }
        let shared = Arc::clone(&self.shared);
        let mut files = shared.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut task = Vec::new();
        let mut bytes = 0;
        while task.len() < TASK_FILES && bytes < TASK_BYTES {
            let Some(item) = files.next(!task.is_empty()) else { break };
            if let Listed::File(entry) = &item.listed {
                bytes += entry.size.unwrap_or_default();
            }
            task.push(item);
        }
        if task.is_empty() {
            shared.order.end();
            return None;
        }
        self.turn = shared.order.begin();
        Some(task)
    }

    fn visit(&mut self, Item { listed, body }: Item) -> Result<(), Closed> {
        match listed {
            Listed::Skipped(reason) => {
                self.report.skip(reason);
                Ok(())
            }
            Listed::Pruned(reason) => {
                self.report.prune(reason);
                Ok(())
            }
            Listed::Failed(error) => self.bad_file(error, 0),
            Listed::Broken(error) => Err(self.end(error)),
            Listed::File(entry) => {
                let outcome = self.file(entry, body)?;
                self.settle(outcome)
            }
        }
    }

    /// Counts the file by how it came out.
    fn settle(&mut self, outcome: Outcome) -> Result<(), Closed> {
        let Rows { read, skipped, .. } = self.rows;
        self.report.records_read += read;
        self.report.records_skipped += skipped;
        let bad = std::mem::take(&mut self.rows.bad);
        self.report.records_bad += bad.len() as u64;
        for error in bad {
            let error = error.in_file(&self.rows.key);
            self.report.bad.push(Finding { error: error.clone(), records_kept: read });
            self.fail(error)?;
        }
        match outcome {
            Outcome::Read(warning) if !self.rows.digest => {
                self.report.files_read += 1;
                let finding = |error: Error| Finding { error: error.in_file(&self.rows.key), records_kept: read };
                self.report.warnings.extend(warning.map(finding));
            }
            Outcome::Read(_) => self.report.skip(Skip::Digest),
            Outcome::Skipped(reason) => self.report.skip(reason),
            Outcome::Bad(error) => return self.bad_file(error.in_file(&self.rows.key), read),
        }
        Ok(())
    }

    fn bad_file(&mut self, error: Error, records_kept: u64) -> Result<(), Closed> {
        self.report.files_bad += 1;
        self.report.bad.push(Finding { error: error.clone(), records_kept });
        self.fail(error)
    }

    /// Ends the scan here, if failures are to end it.
    fn fail(&mut self, error: Error) -> Result<(), Closed> {
        if self.shared.fail { Err(self.end(error)) } else { Ok(()) }
    }

    /// Ends the scan here.
    fn end(&mut self, error: Error) -> Closed {
        let report = std::mem::take(&mut self.report);
        self.shared.order.put(self.turn, Output { error: Some(error), report, batch: None });
        Closed
    }

    /// Hands over the rows so far. The text of the next rows goes to a new arena, unless no row points into this one.
    fn flush(&mut self) -> Result<(), Closed> {
        let batch = self.rows.builders.finish(&mut self.arena);
        let mut report = std::mem::take(&mut self.report);
        let batch = batch.map(|batch| {
            report.misfits = batch.misfits;
            match &mut self.rows.rules {
                Some((_, tags)) => tags.finish(&batch.rows),
                None => batch.rows,
            }
        });
        self.rows.builders.start_file(&self.rows.key);
        if self.shared.order.put(self.turn, Output { batch, report, error: None }) { Ok(()) } else { Err(Closed) }
    }

    fn file(&mut self, Entry { key, at, size }: Entry, body: Option<Body>) -> Result<Outcome, Closed> {
        self.rows.start(key);
        if self.rows.builders.rows() >= BATCH_ROWS {
            self.flush()?;
        }
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
        self.note(size);
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) => return Ok(Outcome::Bad(unreadable(&error))),
        };
        if size.is_some_and(|size| size > STORED_WHOLE) {
            return self.stream(Stream::new(file, self.shared.limits));
        }
        self.stored.clear();
        let read = match file.by_ref().take(STORED_WHOLE + 1).read_to_end(&mut self.stored) {
            Ok(read) => read as u64,
            Err(error) => return Ok(Outcome::Bad(unreadable(&error))),
        };
        let stored = std::mem::take(&mut self.stored);
        let outcome = if read > STORED_WHOLE {
            // It grew since it was listed.
            self.stream(Stream::new(io::Cursor::new(&stored).chain(file), self.shared.limits))
        } else {
            self.whole(&stored)
        };
        self.stored = stored;
        outcome
    }

    fn object(&mut self, bucket: &Arc<Bucket>, mut size: Option<u64>, body: Option<Body>) -> Result<Outcome, Closed> {
        if let Some(body) = body {
            match self.body(&body)? {
                Ok(Got::Whole(bytes)) => {
                    self.note(Some(bytes.len() as u64));
                    return self.whole(&bytes);
                }
                Ok(Got::Large(bytes)) => size = Some(bytes),
                Err(error) => return Ok(Outcome::Bad(error)),
            }
        }
        self.note(size);
        if self.rows.builders.rows() > 0 {
            self.flush()?;
        }
        self.stream(Stream::new(bucket.stream(&self.rows.key, size), self.shared.limits))
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
    fn note(&self, size: Option<u64>) {
        if let (Some(sizes), Some(size)) = (&self.shared.sizes, size) {
            sizes.put(&self.rows.key, size);
        }
    }

    /// Reads a file from memory: at once when it is a right gzip file of an ordinary size, else as a stream.
    fn whole(&mut self, stored: &[u8]) -> Result<Outcome, Closed> {
        let length = length_hint(stored);
        let limits = self.shared.limits;
        let most = limits.inflated.min((stored.len() as u64).saturating_mul(limits.ratio).max(crate::inflate::RATIO_FROM));
        if is_gzip(stored) && length <= INFLATED_WHOLE && length as u64 <= most {
            self.make_room(length)?;
            let start = self.arena.len();
            if let Some(members) = self.inflater.whole(stored, &mut self.arena) {
                let text = self.arena.text(start);
                let inflated = text.len() as u64;
                if inflated <= most {
                    self.report.bytes_stored += stored.len() as u64;
                    self.report.bytes_inflated += inflated;
                    if let Some(hashes) = &self.shared.hashes {
                        // Now, while the text is in the cache.
                        let content =
                            Content { sha256: sha256(text), stored: stored.len() as u64, inflated, members, trailing: 0 };
                        hashes.put(&self.path, content);
                    }
                    return Ok(self.text(start));
                }
                self.arena.truncate(start); // The length was that of the last member alone.
            }
        }
        self.stream(Stream::new(stored, limits))
    }

    /// Sees to it that the arena has room for so much text: the current one, or a new one.
    fn make_room(&mut self, length: usize) -> Result<(), Closed> {
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

    /// Reads the records of a whole text, which lies in the arena from `start` on.
    fn text(&mut self, start: usize) -> Outcome {
        if self.shared.search.as_ref().is_some_and(|search| search.rules_out(self.arena.text(start))) {
            self.arena.truncate(start);
            return Outcome::Skipped(Skip::Constant);
        }
        let outcome = match self.window(&mut Framing::default(), start, true) {
            Ok(()) => Outcome::Read(None),
            Err(error) => Outcome::Bad(error),
        };
        if !self.rows.builders.borrows() {
            self.arena.truncate(start);
        }
        outcome
    }

    /// Reads the records of the text in the arena from `start` on. Damage of the text counts where it lies.
    fn window(&mut self, framing: &mut Framing, start: usize, last: bool) -> Result<(), Error> {
        let arena = &mut self.arena;
        let text = arena.text(start);
        let mut damage = None;
        self.index.build(text);
        let (valid, wrong) = self.index.valid_up_to(text);
        if valid < text.len() && (wrong || last) {
            let at_start = valid == 0 && !framing.has_begun();
            let kind = if at_start { ErrorKind::Unrecognized(text[0]) } else { ErrorKind::InvalidUtf8 };
            damage = Some(Error::at(valid, kind));
            arena.truncate(start + valid);
            self.index.build(arena.text(start));
        }
        let padded = arena.padded(start);
        let length = arena.len() - start;
        self.rows.base = start as u32;
        let mut cursor = Cursor::new(padded, length, self.index.tokens());
        let result = framing.run(&mut cursor, &mut self.rows);
        let at_end = |error: &Error| error.location().byte.is_some_and(|byte| byte >= length as u64);
        let result = match (result, damage) {
            (Err(error), damage) if at_end(&error) && (damage.is_some() || !last) => damage.map_or(Ok(()), Err),
            (Ok(()), Some(damage)) => Err(damage),
            (result, _) => result,
        };
        result.map_err(|error| match error.kind() {
            ErrorKind::Empty => Error::whole(ErrorKind::Empty),
            _ => in_record(error, framing).shifted(self.rows.offset),
        })
    }

    /// Reads a file window by window.
    fn stream(&mut self, mut stream: Stream<impl Read>) -> Result<Outcome, Closed> {
        self.make_room(ARENA / 2)?;
        let mut framing = Framing::default();
        let mut start = self.arena.len();
        let mut hash = self.shared.hashes.as_ref().map(|_| Running::new());
        let mut inflated = 0;
        loop {
            let before = self.arena.len();
            let next = stream.fill(&mut self.arena);
            let text = self.arena.text(before);
            inflated += text.len() as u64;
            self.report.bytes_inflated += text.len() as u64;
            if let Some(hash) = &mut hash {
                hash.update(text);
            }
            if let (Next::End(warning), Some(hashes), Some(hash)) =
                (&next, &self.shared.hashes, hash.take_if(|_| matches!(next, Next::End(_))))
            {
                let trailing = warning.as_ref().map_or(0, Error::trailing_bytes);
                let members = stream.members();
                // A plain file is read all the same, but it is not what CloudTrail delivers.
                if members > 0 {
                    let (sha256, stored) = (hash.finish(), stream.offset());
                    hashes.put(&self.path, Content { sha256, stored, inflated, members, trailing });
                }
            }
            let last = matches!(next, Next::End(_));
            let result = self.window(&mut framing, start, last);
            if let Err(error) = result {
                self.report.bytes_stored += stream.offset();
                return Ok(Outcome::Bad(error));
            }
            match next {
                Next::More => {}
                Next::End(warning) => {
                    self.report.bytes_stored += stream.offset();
                    return Ok(Outcome::Read(warning));
                }
                Next::Damaged(error) => {
                    self.report.bytes_stored += stream.offset();
                    return Ok(Outcome::Bad(in_record(error, &framing)));
                }
            }
            match self.next_window(start + framing.passed())? {
                Ok(()) => start = 0,
                Err(error) => return Ok(Outcome::Bad(error.shifted(self.rows.offset))),
            }
            self.rows.offset += framing.passed() as u64;
        }
    }

    /// Moves the text from `from` on, which has not been read yet, to the front of an arena with room for more.
    fn next_window(&mut self, from: usize) -> Result<Result<(), Error>, Closed> {
        let rest = self.arena.len() - from;
        if rest >= LARGEST_WINDOW {
            return Ok(Err(Error::at(0, ErrorKind::DocumentTooLarge(LARGEST_WINDOW as u64))));
        }
        let mut next = Arena::new(WINDOW.max(2 * rest));
        next.append(|text| text.extend_from_slice(self.arena.text(from)));
        if self.rows.builders.rows() > 0 {
            self.flush()?;
        }
        self.arena = next;
        Ok(Ok(()))
    }
}

/// Damage that no record has told of lies in the record that comes next.
fn in_record(error: Error, framing: &Framing) -> Error {
    let unknown = error.is_damage() && error.location().record.is_none();
    if unknown && framing.has_begun() { error.in_record(framing.records()) } else { error }
}

/// How a file came out.
enum Outcome {
    Read(Option<Error>),
    Skipped(Skip),
    Bad(Error),
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

impl Rows {
    fn start(&mut self, key: String) {
        self.builders.start_file(&key);
        self.key = key;
        (self.base, self.offset, self.digest) = (0, 0, false);
        (self.read, self.skipped) = (0, 0);
    }
}

impl Visitor for Rows {
    fn envelope(&mut self, event: Value) {
        self.envelope = Some(event);
    }

    fn record(&mut self, cursor: &mut Cursor<'_>, origin: Origin, index: u64) -> Result<(), Error> {
        let whole = self.record.read(cursor, self.wanted).map_err(|error| error.in_record(index))?;
        let envelope = self.envelope.take();
        let met = self.filter.as_mut().is_none_or(|filter| filter.matches(&self.record, envelope, whole, cursor));
        let hits =
            self.rules.as_mut().filter(|_| met).map(|(rules, tags)| (rules.hits(&self.record, envelope, whole, cursor), tags));
        if met && hits.as_ref().is_none_or(|(hits, _)| !hits.is_empty()) {
            let base = (origin == Origin::Window).then_some(self.base);
            self.builders.push(&self.record, cursor, whole, Place { base, record: index as u32 })?;
            if let Some((hits, tags)) = hits {
                tags.push(hits);
            }
            self.read += 1;
        } else {
            self.skipped += 1;
        }
        Ok(())
    }

    fn bad_record(&mut self, error: Error) {
        self.bad.push(error.shifted(self.offset));
    }

    fn digest(&mut self) {
        self.digest = true;
    }
}
