//! Single steps of a scan, for tests, fuzz targets and benches. Not part of the public interface: it may change without
//! notice.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_schema::Schema;

use crate::arena::Arena;
use crate::columns::{Builders, Place};
use crate::error::{Error, ErrorKind};
use crate::event::{Framing, Origin, Record, Visitor, Walked, Wanted, definition, is_at};
use crate::filter::{Matcher, Predicate, Rules, Search};
use crate::inflate::{Inflater, Limits, Next, Stream, Unwrapped};
use crate::json::{Cursor, Index};
use crate::schema;
use crate::source::Skip;

pub use crate::integrity::walk_of_times;
pub use crate::unchecked::classify::{Variant, variants};

/// Reads an answer of a store as every kind of answer. `asked` is used as a prefix, the name of a bucket and a region.
pub fn answered(status: u16, head: &str, body: &[u8], asked: &str) {
    crate::source::object::fuzzed::answer(status, head, body, asked);
}

/// Inflates whole files into reused memory.
pub struct Inflate {
    inflater: Inflater,
    arena: Arena,
}

impl Inflate {
    /// With room for this many bytes of text.
    #[must_use]
    pub fn new(room: usize) -> Self {
        Self { inflater: Inflater::new(), arena: Arena::new(room) }
    }

    /// The text of a valid gzip file that fits; `None` for any other.
    pub fn whole(&mut self, file: &[u8]) -> Option<&[u8]> {
        self.arena.truncate(0);
        self.inflater.whole(file, &mut self.arena).map(|_| self.arena.text(0))
    }
}

/// Earlier events, identified by 32 random bytes each.
#[derive(Default)]
pub struct Events(crate::dedupe::set::Set);

impl Events {
    /// Adds one, and returns whether it is new.
    pub fn put(&mut self, event: [u8; 32]) -> std::io::Result<bool> {
        Ok(self.0.put(crate::dedupe::key::Key(event))? == crate::dedupe::set::Seen::First)
    }
}

/// The text of one layer of any file, read through windows of this size, and what is wrong with it.
#[must_use]
pub fn streamed(file: &[u8], room: usize, limits: Limits) -> (Vec<u8>, Option<Error>) {
    let mut stream = Stream::new(file, limits);
    in_windows(room, |arena| stream.fill(arena))
}

/// The text of any file, with all layers removed, read in the same way.
#[must_use]
pub fn unwrapped(file: &[u8], room: usize, limits: Limits) -> (Vec<u8>, Option<Error>) {
    let mut file = Unwrapped::new(file, limits);
    in_windows(room, |arena| file.fill(arena))
}

fn in_windows(room: usize, mut fill: impl FnMut(&mut Arena) -> Next) -> (Vec<u8>, Option<Error>) {
    let mut text = Vec::new();
    loop {
        let mut arena = Arena::new(room);
        let next = fill(&mut arena);
        text.extend_from_slice(arena.text(0));
        match next {
            Next::More => {}
            Next::End(warning) => return (text, warning),
            Next::Damaged(error) => return (text, Some(error)),
        }
    }
}

/// A text and its tokens, where a scan keeps them.
pub struct Text {
    arena: Arena,
    index: Index,
}

impl Text {
    /// Text that is not indexed yet.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        let mut arena = Arena::new(text.len());
        arena.append(|memory| memory.extend_from_slice(text));
        Self { arena, index: Index::default() }
    }

    /// Text with its tokens.
    #[must_use]
    pub fn indexed(text: &[u8]) -> Self {
        let mut text = Self::new(text);
        text.index();
        text
    }

    /// Finds the tokens and checks UTF-8; returns whether all of it is valid.
    pub fn index(&mut self) -> bool {
        let text = self.arena.text(0);
        self.index.build(text);
        self.index.valid_up_to(text).0 == text.len()
    }

    fn cursor(&self) -> Cursor<'_> {
        Cursor::new(self.arena.padded(0), self.arena.len(), self.index.tokens())
    }

    /// Whether the text is one JSON value; `None` when it is nested too deep to tell.
    #[must_use]
    pub fn is_json(&self) -> Option<bool> {
        let mut cursor = self.cursor();
        cursor.skip_space();
        match cursor.value() {
            Ok(_) => {
                cursor.skip_space();
                Some(cursor.at >= cursor.end())
            }
            Err(error) => (!matches!(error.kind(), ErrorKind::TooDeep(_))).then_some(false),
        }
    }

    /// Walks the records and notes what these columns need; returns the number of records that meet the predicate.
    pub fn walk(&self, columns: &Arc<Schema>, predicate: Option<&Predicate>) -> Result<u64, Error> {
        let mut walk = Walk::new(Builders::new(Arc::clone(columns)).wanted(), predicate, None);
        Framing::default().run(&mut self.cursor(), &mut walk, true)?;
        Ok(walk.rows)
    }

    /// Walks the records and builds these columns; `None` if there are none.
    #[must_use]
    pub fn build(mut self, columns: &Arc<Schema>) -> (Option<RecordBatch>, Option<Error>) {
        let mut builders = Builders::new(Arc::clone(columns));
        builders.start_file("file");
        let mut walk = Walk::new(builders.wanted(), None, Some(builders));
        let result = Framing::default().run(&mut self.cursor(), &mut walk, true);
        let read = self.arena.len();
        let batch = walk.builders.and_then(|mut builders| builders.finish(&mut self.arena, read));
        (batch.map(|batch| batch.rows), result.err())
    }
}

/// Bytes of the largest batch of a text, with batches cut as in a scan, and the bytes of its records.
#[must_use]
pub fn largest_batch(text: &[u8], columns: &Arc<Schema>) -> (usize, u64) {
    let mut text = Text::indexed(text);
    let builders = Builders::new(Arc::clone(columns));
    let mut walk = Walk { pauses: true, ..Walk::new(builders.wanted(), None, Some(builders)) };
    let (mut framing, mut largest) = (Framing::default(), 0);
    loop {
        let walked = framing.run(&mut text.cursor(), &mut walk, true);
        let paused = matches!(walked, Ok(Walked::Paused | Walked::Torn));
        let read = if paused { framing.passed() } else { text.arena.len() };
        if let Some(batch) = walk.builders.as_mut().and_then(|builders| builders.finish(&mut text.arena, read)) {
            largest = largest.max(held(&batch.rows));
        }
        if !paused {
            return (largest, walk.rows);
        }
        text.index();
    }
}

/// Bytes of a batch; shared buffers count once.
fn held(batch: &RecordBatch) -> usize {
    let mut buffers = BTreeMap::new();
    let mut arrays: Vec<_> = batch.columns().iter().map(Array::to_data).collect();
    while let Some(array) = arrays.pop() {
        let nulls = array.nulls().map(arrow_buffer::NullBuffer::buffer);
        buffers.extend(array.buffers().iter().chain(nulls).map(|buffer| (buffer.data_ptr(), buffer.capacity())));
        arrays.extend(array.child_data().iter().cloned());
    }
    buffers.values().sum()
}

struct Walk {
    record: Record,
    wanted: Wanted,
    filter: Option<Matcher>,
    builders: Option<Builders>,
    rows: u64,
    /// Whether it pauses when a batch is full.
    pauses: bool,
}

impl Walk {
    fn new(wanted: Wanted, predicate: Option<&Predicate>, builders: Option<Builders>) -> Self {
        let rules = predicate.map(|predicate| Arc::new(Rules::one(predicate.clone())));
        let wanted = rules.iter().fold(wanted.and(definition::wanted()), |wanted, rules| wanted.and(rules.wanted()));
        Self { record: Record::new(), wanted, filter: rules.map(Matcher::new), builders, rows: 0, pauses: false }
    }
}

impl Visitor for Walk {
    fn record(&mut self, cursor: &mut Cursor<'_>, origin: Origin, index: u64) -> Result<bool, Error> {
        let whole = self.record.read(cursor, self.wanted)?;
        if !definition::is_record(&self.record, whole, cursor, definition::telling_column()) {
            return Ok(false);
        }
        if self.filter.as_mut().is_none_or(|filter| filter.matches(&self.record, None, whole, cursor)) {
            self.rows += 1;
            if let Some(builders) = &mut self.builders {
                let base = (origin == Origin::Window).then_some(0);
                builders.push(
                    &self.record,
                    cursor,
                    whole,
                    Place { base, record: u32::try_from(index).expect("a text of no more than a window") },
                )?;
            }
        }
        Ok(true)
    }

    fn bad_record(&mut self, _: Error) {}

    fn skip(&mut self, _: Skip, _: usize, _: u64) {}

    fn is_full(&self) -> bool {
        self.pauses && self.builders.as_ref().is_some_and(Builders::is_full)
    }
}

/// Every column of the table.
#[must_use]
pub fn all_columns() -> Arc<Schema> {
    Arc::new(schema::project(&schema::names().collect::<Vec<_>>()).expect("columns of the table"))
}

/// Whether a search for the predicate's constant rules the text out.
#[must_use]
pub fn rules_out(predicate: &Predicate, text: &[u8]) -> bool {
    Search::new(predicate).is_some_and(|search| search.rules_out(text))
}

/// Whether a record of the text meets the predicate. Records before an error count: they become rows.
#[must_use]
pub fn has_match(predicate: &Predicate, text: &[u8]) -> bool {
    let mut walk = Walk::new(Wanted::columns(0), Some(predicate), None);
    let _ = Framing::default().run(&mut Text::indexed(text).cursor(), &mut walk, true);
    walk.rows > 0
}

/// What the walk of a text reports: its records with their bytes, what is no record, and its error, one per line. The
/// text comes in windows that end at `cuts`, as in a scan of a streamed file.
#[must_use]
pub fn seen_in_windows(text: &[u8], cuts: &[usize]) -> Vec<String> {
    let mut framing = Framing::default();
    let mut notes = Notes { lines: Vec::new(), offset: 0, record: Record::new() };
    let mut start = 0;
    for end in cuts.iter().copied().chain([text.len()]) {
        loop {
            notes.offset = start as u64;
            let window = Text::indexed(&text[start..end]);
            let last = end == text.len();
            let walked = match framing.run(&mut window.cursor(), &mut notes, last) {
                Err(error) if framing.has_begun() => framing.tear(&text[start..end], error, &mut notes, last),
                walked => walked,
            };
            if let Err(error) = &walked
                && (last || !is_at(error, end - start))
            {
                notes.lines.push(format!(
                    "{} before record {}",
                    error.clone().shifted(start as u64),
                    framing.records()
                ));
                return notes.lines;
            }
            start += framing.passed();
            if !matches!(walked, Ok(Walked::Torn)) {
                break;
            }
        }
    }
    notes.lines
}

struct Notes {
    lines: Vec<String>,
    /// Where the window begins in the text.
    offset: u64,
    record: Record,
}

impl Visitor for Notes {
    fn record(&mut self, cursor: &mut Cursor<'_>, origin: Origin, index: u64) -> Result<bool, Error> {
        let value = self.record.read(cursor, definition::wanted())?;
        if !definition::is_record(&self.record, value, cursor, definition::telling_column()) {
            return Ok(false);
        }
        let text = String::from_utf8_lossy(cursor.slice(value));
        let mark = if origin == Origin::Embedded { "*" } else { "" };
        self.lines.push(format!("{index}{mark} {text}"));
        Ok(true)
    }

    fn bad_record(&mut self, error: Error) {
        self.lines.push(error.shifted(self.offset).to_string());
    }

    fn skip(&mut self, reason: Skip, at: usize, index: u64) {
        self.lines.push(format!("{} at byte {} (record {index})", reason.name(), at as u64 + self.offset));
    }
}
