//! Finds the records of a file. The shape is told by content, never by name:
//!
//! | shape | records |
//! |---|---|
//! | `{"Records": […]}`, the output of `lookup-events` (`Events`), of `filter-log-events` (`events`), of `sqs receive-message` (`Messages`), what `CloudWatch` Logs gives to subscribers (`logEvents`) | what its elements are |
//! | the results of Logs Insights (`results`) | what the `@message` of each is |
//! | the results of CloudTrail Lake (`QueryResultRows`) | what the `eventJson` of each is; rows without one are bad |
//! | an array of anything; anything one after another (NDJSON), each with a time stamp before it, and perhaps the name of a log stream, or not | what each is |
//! | a string | what its text is |
//! | any other document | what [`super::definition`] says |
//!
//! What is no record is skipped, for a reason; what is broken is a bad record, if the text goes on behind it.
//!
//! A file may come in windows: what ends before a window does is passed once and for all, the rest comes again with the next one. What
//! must be in one window (a record, a document that is none, what stands before the records of one) is bounded, so that a window is.

use crate::bounds::{EMBEDDED_RECORDS, RECORD, TORN_BYTES, TORN_LINES};
use crate::error::{Error, ErrorKind};
use crate::json::{Cursor, Key, Value};
use crate::source::Skip;

use super::definition::{Signs, What, string_member};
use super::foreign::BOM;
use super::inside::{Found, Inside};
use super::stamped::{self, Line, is_space};

/// Who is told about the records of a file.
pub(crate) trait Visitor {
    /// The cursor stands at the `{` of an object; the visitor passes it, and refuses one that is larger than [`RECORD`]. Whether it was
    /// a record: if not, nothing was noted.
    fn record(&mut self, cursor: &mut Cursor<'_>, origin: Origin, index: u64) -> Result<bool, Error>;

    /// The next record is the `detail` of this event on a bus.
    fn envelope(&mut self, _event: Value) {}

    /// What should be a record is broken; the file goes on.
    fn bad_record(&mut self, error: Error);

    /// What is strange about a record, but costs nothing.
    fn warn(&mut self, _error: Error) {}

    /// What stands at this byte, with this index, is no record of CloudTrail.
    fn skip(&mut self, reason: Skip, at: usize, index: u64);

    /// Whether the walk should pause, so that what was visited can be handed over.
    fn is_full(&self) -> bool {
        false
    }
}

/// How far a walk through a window has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walked {
    /// To its end.
    Whole,
    /// To [`Framing::passed`], since the visitor is full.
    Paused,
    /// To [`Framing::passed`], behind a torn line or plain text: tokens from there on must be looked for anew, since quotes may be open.
    Torn,
}

/// Where the bytes of a record are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// In the window.
    Window,
    /// In a buffer of their own, which does not outlive the visit: decoded from a string.
    Embedded,
}

/// The state of the walk between two records.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact about the text")]
pub(crate) struct Framing {
    state: State,
    /// Whether the documents are elements of one array.
    in_array: bool,
    /// Documents so far, good, bad and skipped: the index of the next.
    records: u64,
    /// How much of the window has been passed once and for all.
    passed: usize,
    /// How much was passed of the windows before.
    before: u64,
    /// Whether each document has a line of its own, as far as the first one tells.
    lines: Lines,
    /// Lines behind which tokens had to be looked for anew: most of them were torn.
    torn: u64,
    /// Whether that is so here.
    is_lost: bool,
    /// In how many documents this one is.
    pub(super) depth: u32,
    /// Whether it was inflated from a string.
    pub(super) is_inflated: bool,
    /// Whether all of the text is in memory, so that no window bounds what is in one piece.
    is_whole: bool,
    /// The first index of this document.
    first: u64,
    inside: Option<Box<Inside>>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Lines {
    #[default]
    Unknown,
    Each,
    No,
}

#[derive(Default, Clone, Copy)]
enum State {
    /// Before anything but white space and byte order marks.
    #[default]
    Start,
    /// Between documents.
    Between,
    /// Before an element of a list.
    Element(List),
    /// Behind such an element.
    BehindElement(List),
    /// In the document, behind a member that is or follows its list.
    BehindList,
    /// Behind a document: its records have been visited, and must not be again when the window ends before its comma.
    BehindDocument,
}

/// Members of a document that list others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    /// `Records`: of records, mostly.
    Records,
    /// Of documents that hold records, mostly in strings.
    Holders,
    /// Rows of Logs Insights: lists of fields.
    Rows,
    /// Rows of Lake: lists of objects with one column each.
    Results,
    /// Of messages that `CloudWatch` Logs sends to see whether anybody is there.
    Control,
}

impl List {
    /// The list that this key of a document names, if the array at the cursor is one.
    fn of(cursor: &Cursor<'_>, key: Key, signs: &Signs) -> Option<Self> {
        if cursor.byte() != b'[' {
            return None;
        }
        match &*cursor.name(key) {
            b"Records" => Some(Self::Records),
            _ if !signs.allow_list() => None,
            b"events" | b"logEvents" if signs.is_control() => Some(Self::Control),
            b"Events" | b"events" | b"logEvents" | b"Messages" => Some(Self::Holders),
            b"results" => Some(Self::Rows),
            b"QueryResultRows" => Some(Self::Results),
            _ => None,
        }
    }
}

impl Framing {
    /// A walk through one text that is in memory, whatever its size.
    pub(crate) fn of_whole_text() -> Self {
        Self { is_whole: true, ..Self::default() }
    }

    /// Index of the next record.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Whether anything of the file has been understood.
    pub(crate) fn has_begun(&self) -> bool {
        !matches!(self.state, State::Start)
    }

    /// How much of the last window need not come again.
    pub(crate) fn passed(&self) -> usize {
        self.passed
    }

    /// Begins anew, with a document inside of one that `outer` walks through.
    pub(super) fn restart(&mut self, outer: &Self, is_inflated: bool) {
        let inside = self.inside.take();
        *self = Self {
            state: State::Between,
            records: outer.records,
            first: outer.records,
            depth: outer.depth + 1,
            is_inflated: is_inflated || outer.is_inflated,
            is_whole: outer.is_whole,
            inside,
            ..Self::default()
        };
    }

    /// Walks through a window to its end, or until the visitor is full, or behind a torn line. An error at the very end of the window
    /// may only mean that more must come, unless it is the last one.
    pub(crate) fn run(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor, last: bool) -> Result<Walked, Error> {
        self.before += self.passed as u64;
        self.passed = 0;
        loop {
            match self.step(cursor, visitor, last) {
                Ok(true) => return Ok(Walked::Whole),
                Ok(false) => self.passed = cursor.at,
                Err(error) => {
                    self.pass_torn_line(cursor, error, visitor, last)?;
                    return Ok(Walked::Torn);
                }
            }
            if std::mem::take(&mut self.is_lost) {
                return Ok(Walked::Torn);
            }
            if self.depth == 0 && visitor.is_full() {
                return Ok(Walked::Paused);
            }
        }
    }

    /// Takes one step; `true` at the end.
    fn step(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor, last: bool) -> Result<bool, Error> {
        match self.state {
            State::Start | State::Between if !self.in_array => pass_space(cursor, last)?,
            _ => cursor.skip_space(),
        }
        self.passed = cursor.at;
        if self.depth > 0 {
            self.has_room(cursor)?;
        }
        match self.state {
            State::Start => self.start(cursor)?,
            State::Between if cursor.at >= cursor.end() && !self.in_array => return Ok(true),
            State::Between if !self.in_array && cursor.byte() == b'[' => self.in_array = cursor.enter_array()?,
            State::Between if self.in_array && cursor.byte() != b'{' => {
                self.other(cursor, visitor)?;
                self.state = State::BehindDocument;
            }
            State::Between => self.document(cursor, visitor, last)?,
            State::Element(which) => {
                self.element(cursor, which, visitor)?;
                self.state = State::BehindElement(which);
            }
            State::BehindElement(which) => {
                self.state = if cursor.next_element()? { State::Element(which) } else { State::BehindList };
            }
            State::BehindList => {
                if cursor.next_member()? {
                    let key = cursor.key()?;
                    if *cursor.name(key) == *b"Records" {
                        return Err(Error::at(key.start - 1, ErrorKind::RecordsTwice));
                    }
                    pass_whole_value(cursor)?;
                    self.bounded(self.passed, cursor)?;
                } else {
                    self.state = State::BehindDocument;
                }
            }
            State::BehindDocument => {
                if self.in_array {
                    self.in_array = cursor.next_element()?;
                }
                self.state = State::Between;
            }
        }
        Ok(false)
    }

    /// Refuses one more record in a document within another that has as many as may be.
    fn has_room(&self, cursor: &Cursor<'_>) -> Result<(), Error> {
        let is_before_one = match self.state {
            State::Between => cursor.at < cursor.end(),
            State::Element(_) => true,
            _ => false,
        };
        if is_before_one && self.records - self.first >= EMBEDDED_RECORDS {
            return Err(Error::at(cursor.at, ErrorKind::EmbeddedRecords(EMBEDDED_RECORDS)));
        }
        Ok(())
    }

    /// Refuses what was passed since `start` if it is too large to be held for sure, wherever a window ends.
    fn bounded(&self, start: usize, cursor: &Cursor<'_>) -> Result<(), Error> {
        if cursor.at - start > RECORD && !self.is_whole { Err(self.too_large(start)) } else { Ok(()) }
    }

    /// What begins at `start` is too large.
    pub(crate) fn too_large(&self, start: usize) -> Error {
        let error = Error::at(start, ErrorKind::DocumentTooLarge(RECORD as u64));
        if self.has_begun() { error.in_record(self.records) } else { error }
    }

    fn start(&mut self, cursor: &Cursor<'_>) -> Result<(), Error> {
        let rest = &cursor.bytes()[cursor.at..];
        match cursor.byte() {
            b'{' | b'[' | b'"' | b'0'..=b'9' => {}
            _ if [&b"null"[..], b"true", b"false"].iter().any(|word| rest.starts_with(word)) => {}
            _ if cursor.at >= cursor.end() => return Err(Error::at(cursor.at, ErrorKind::Empty)),
            byte => return Err(Error::at(cursor.at, ErrorKind::Unrecognized(byte))),
        }
        self.state = State::Between;
        Ok(())
    }

    /// Passes a document, or the part of it before its list.
    fn document(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor, last: bool) -> Result<(), Error> {
        let line = cursor.at;
        match stamped::line(cursor, last)? {
            Some(Line::Text(end)) => return self.text_line(cursor, end, visitor),
            Some(Line::Document(start)) if !cursor.pass_to(start) => return self.look_anew(cursor),
            _ => {}
        }
        let (start, token) = (cursor.at, cursor.token());
        if cursor.byte() != b'{' {
            return self.scalar(cursor, visitor, last);
        }
        let mut signs = Signs::default();
        let mut lists_nothing = false;
        let mut more = cursor.enter_object()?;
        while more {
            let key = cursor.key()?;
            let listed = List::of(cursor, key, &signs);
            // Other members tell what a document is that lists nothing.
            let is_empty = listed.is_some_and(|list| list != List::Records) && is_empty_array(cursor);
            lists_nothing |= is_empty;
            if let Some(list) = listed.filter(|_| !is_empty) {
                self.bounded(start, cursor)?;
                self.lines = if self.lines == Lines::Unknown { Lines::No } else { self.lines };
                self.state = if cursor.enter_array()? { State::Element(list) } else { State::BehindList };
                return Ok(());
            }
            let value = cursor.value()?;
            signs.note(cursor, key, value);
            more = cursor.next_member()?;
        }
        self.bounded(start, cursor)?;
        if self.lines == Lines::Unknown {
            let has_line = !self.in_array && memchr::memchr(b'\n', &cursor.bytes()[line..cursor.at]).is_none();
            self.lines = if has_line { Lines::Each } else { Lines::No };
        }
        let whole = cursor.value_from(start, token);
        match signs.what(cursor) {
            What::Record => {
                if let Some(name) = signs.flat(cursor) {
                    visitor.warn(Error::at(start, ErrorKind::Flattened(name)).in_record(self.records));
                }
                self.record(cursor, whole, visitor)?;
            }
            What::Event(detail) => {
                visitor.envelope(whole);
                self.record(cursor, detail, visitor)?;
            }
            What::Holds(held) => self.inside(cursor, held, visitor)?,
            What::HoldsGzip(data) => self.inflated(cursor, data, visitor)?,
            What::Columns => self.bad(ErrorKind::QueryResult, start, visitor),
            What::Other(Skip::NotCloudTrail) if lists_nothing => {}
            What::Other(reason) => self.skip(reason, start, visitor),
        }
        self.state = State::BehindDocument;
        Ok(())
    }

    /// Visits an object that has been passed, and should be a record.
    fn record(&mut self, cursor: &Cursor<'_>, object: Value, visitor: &mut impl Visitor) -> Result<(), Error> {
        if visitor.record(&mut cursor.back_to(object), Origin::Window, self.records)? {
            self.records += 1;
            return Ok(());
        }
        self.inside(cursor, object, visitor)
    }

    /// Passes a line of plain text.
    fn text_line(&mut self, cursor: &mut Cursor<'_>, end: usize, visitor: &mut impl Visitor) -> Result<(), Error> {
        self.skip(Skip::NotCloudTrail, cursor.at, visitor);
        self.lines = if self.lines == Lines::Unknown { Lines::Each } else { self.lines };
        if cursor.pass_to(end) { Ok(()) } else { self.look_anew(cursor) }
    }

    /// Has tokens looked for anew from here on, if that was not needed too often.
    fn look_anew(&mut self, cursor: &Cursor<'_>) -> Result<(), Error> {
        if self.torn >= TORN_LINES + (self.before + self.passed as u64) / TORN_BYTES {
            return Err(Error::at(self.passed, cursor.unexpected("a record").kind().clone()));
        }
        self.torn += 1;
        self.is_lost = true;
        Ok(())
    }

    fn skip(&mut self, reason: Skip, at: usize, visitor: &mut impl Visitor) {
        visitor.skip(reason, at, self.records);
        self.records += 1;
    }

    fn bad(&mut self, kind: ErrorKind, at: usize, visitor: &mut impl Visitor) {
        visitor.bad_record(Error::at(at, kind).in_record(self.records));
        self.records += 1;
    }

    /// Passes a document that is no object: a string may hold one.
    fn scalar(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor, last: bool) -> Result<(), Error> {
        let (start, token) = (cursor.at, cursor.token());
        if !last && stamped::is_cut(cursor, start) {
            return Err(cursor.unexpected_end());
        }
        cursor.value()?;
        if !last && cursor.at >= cursor.end() {
            return Err(cursor.unexpected_end()); // A number may go on.
        }
        let is_string = cursor.bytes()[start] == b'"';
        if !is_string && cursor.at < cursor.end() && !matches!(cursor.byte(), b' ' | b'\t' | b'\n' | b'\r' | b'{' | b'[' | b'"') {
            return Err(cursor.unexpected("an end"));
        }
        let value = cursor.value_from(start, token);
        self.bounded(start, cursor)?;
        self.inside(cursor, value, visitor)?;
        self.state = State::BehindDocument;
        Ok(())
    }

    /// Passes an element of a list.
    fn element(&mut self, cursor: &mut Cursor<'_>, list: List, visitor: &mut impl Visitor) -> Result<(), Error> {
        if list == List::Records && cursor.byte() == b'{' {
            let (start, token) = (cursor.at, cursor.token());
            if visitor.record(cursor, Origin::Window, self.records)? {
                self.records += 1;
                return Ok(());
            }
            let value = cursor.value_from(start, token);
            return self.inside(cursor, value, visitor);
        }
        let value = self.pass(cursor)?;
        match list {
            List::Control => self.skip(Skip::ControlMessage, value.start as usize, visitor),
            List::Rows if cursor.slice(value)[0] == b'[' => match message(cursor, value) {
                Some(text) => self.inside(cursor, text, visitor)?,
                None => self.skip(Skip::NotCloudTrail, value.start as usize, visitor),
            },
            List::Results => match lake_record(cursor, value) {
                Some(text) => self.inside(cursor, text, visitor)?,
                None => self.bad(ErrorKind::QueryResult, value.start as usize, visitor),
            },
            _ => self.inside(cursor, value, visitor)?,
        }
        Ok(())
    }

    /// Passes a value where a record should be.
    fn other(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor) -> Result<(), Error> {
        let value = self.pass(cursor)?;
        self.inside(cursor, value, visitor)
    }

    /// Passes an element.
    fn pass(&self, cursor: &mut Cursor<'_>) -> Result<Value, Error> {
        let (start, token) = (cursor.at, cursor.token());
        pass_whole_value(cursor)?;
        self.bounded(start, cursor)?;
        Ok(cursor.value_from(start, token))
    }

    /// Visits what a value that has been passed holds.
    fn inside(&mut self, cursor: &Cursor<'_>, value: Value, visitor: &mut impl Visitor) -> Result<(), Error> {
        match cursor.slice(value)[0] {
            b'{' | b'[' => self.with_inside(value, visitor, |inside, outer, visitor| inside.value(outer, cursor, value, visitor)),
            b'"' => self.with_inside(value, visitor, |inside, outer, visitor| inside.string(outer, cursor, value, visitor)),
            _ => {
                self.skip(Skip::NotCloudTrail, value.start as usize, visitor);
                Ok(())
            }
        }
    }

    /// Visits what a string holds in gzip.
    fn inflated(&mut self, cursor: &Cursor<'_>, value: Value, visitor: &mut impl Visitor) -> Result<(), Error> {
        self.with_inside(value, visitor, |inside, outer, visitor| inside.gzip(outer, cursor, value, visitor))
    }

    fn with_inside<V: Visitor>(
        &mut self,
        value: Value,
        visitor: &mut V,
        visit: impl FnOnce(&mut Inside, &Self, &mut V) -> Result<Found, Error>,
    ) -> Result<(), Error> {
        let mut inside = self.inside.take().unwrap_or_default();
        let found = visit(&mut inside, self, visitor);
        self.inside = Some(inside);
        let Found { records, bad } = found?;
        self.records = records;
        if let Some(kind) = bad {
            self.bad(kind, value.start as usize, visitor);
        }
        Ok(())
    }

    /// A document that breaks costs its line, and no more, if lines are what documents have: the first one of the file had one, or the
    /// next line begins as one of a log does while this is the first. A document over many lines has no end that could be known.
    fn pass_torn_line(
        &mut self,
        cursor: &mut Cursor<'_>,
        error: Error,
        visitor: &mut impl Visitor,
        last: bool,
    ) -> Result<(), Error> {
        let is_torn = matches!(error.kind(), ErrorKind::InvalidJson { .. } | ErrorKind::ControlCharacter(_));
        let is_alone = matches!(self.state, State::Between) && !self.in_array && self.lines == Lines::Unknown;
        let at_end = error.location().byte.is_some_and(|byte| byte >= cursor.end() as u64);
        let too_many = self.torn >= TORN_LINES + (self.before + self.passed as u64) / TORN_BYTES;
        if self.depth > 0 || !is_torn || at_end && !last || too_many || !(is_alone || self.lines == Lines::Each) {
            return Err(error);
        }
        let text = &cursor.bytes()[..cursor.end()];
        let Some(feed) = memchr::memchr(b'\n', &text[self.passed..]).map(|feed| self.passed + feed) else {
            let may_come = !last && text.len() - self.passed <= RECORD;
            return Err(if may_come { cursor.unexpected_end() } else { error });
        };
        if is_alone {
            match text.get(feed + 1) {
                Some(b'{' | b'1'..=b'9') => self.lines = Lines::Each,
                None if !last => return Err(cursor.unexpected_end()),
                _ => return Err(error),
            }
        }
        visitor.bad_record(error.in_record(self.records));
        self.records += 1;
        self.torn += 1;
        self.state = State::Between;
        self.in_array = false;
        self.passed = feed + 1;
        Ok(())
    }
}

/// The text of a row of Logs Insights: the value of its field `@message`.
fn message(cursor: &Cursor<'_>, row: Value) -> Option<Value> {
    of_row(cursor, row, |field| {
        let name = string_member(cursor, field, b"field")?;
        cursor.string(name).filter(|name| **name == *b"@message")?;
        string_member(cursor, field, b"value")
    })
}

/// The text of the record in a row of Lake, if the query asked for it.
fn lake_record(cursor: &Cursor<'_>, row: Value) -> Option<Value> {
    of_row(cursor, row, |column| string_member(cursor, column, b"eventJson"))
}

/// What is found in an object of a row; of several, in the last one.
fn of_row(cursor: &Cursor<'_>, row: Value, find: impl Fn(Value) -> Option<Value>) -> Option<Value> {
    if cursor.slice(row)[0] != b'[' {
        return None;
    }
    let mut cells = cursor.back_to(row);
    let mut found = None;
    let mut more = cells.enter_array().ok()?;
    while more {
        let (start, token) = (cells.at, cells.token());
        cells.value().ok()?;
        if cursor.bytes()[start] == b'{' {
            found = find(cells.value_from(start, token)).or(found);
        }
        more = cells.next_element().ok()?;
    }
    found
}

/// Passes a value, unless the window ends with it: a number may go on in the next one.
fn pass_whole_value(cursor: &mut Cursor<'_>) -> Result<(), Error> {
    cursor.value()?;
    if cursor.at >= cursor.end() { Err(cursor.unexpected("',' or an end")) } else { Ok(()) }
}

/// Passes white space before a document. A byte order mark is no more than that: files that have one may have been put together.
pub(crate) fn pass_space(cursor: &mut Cursor<'_>, last: bool) -> Result<(), Error> {
    cursor.skip_space();
    while cursor.at < cursor.end() {
        let rest = &cursor.bytes()[cursor.at..cursor.end()];
        if !rest.starts_with(BOM) {
            let is_cut = !last && BOM.starts_with(rest);
            return if is_cut { Err(cursor.unexpected_end()) } else { Ok(()) };
        }
        cursor.jump(cursor.at + BOM.len());
        cursor.skip_space();
    }
    Ok(())
}

/// Whether the array at the cursor has no elements.
fn is_empty_array(cursor: &Cursor<'_>) -> bool {
    cursor.bytes()[cursor.at + 1..].iter().find(|byte| !is_space(**byte)) == Some(&b']')
}

#[cfg(test)]
mod tests;
