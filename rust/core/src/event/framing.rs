//! Finds the records of a file. Its shape is recognised by its content, never by its name:
//!
//! | shape | records |
//! |---|---|
//! | `{"Records": […]}` | what its elements are |
//! | the output of `lookup-events` (`Events`) and `filter-log-events` (`events`) | the same |
//! | the output of `sqs receive-message` (`Messages`) | the same |
//! | what CloudWatch Logs sends to subscribers (`logEvents`) | the same |
//! | the results of Logs Insights (`results`) | what the `@message` of each is |
//! | the results of CloudTrail Lake (`QueryResultRows`) | what the `eventJson` of each is; rows without one are bad |
//! | an array; documents one after another (NDJSON), perhaps with time stamps before them | what each is |
//! | a string | what its text is |
//! | any other document | what [`super::definition`] says |
//!
//! What is not a record is skipped, with a reason. What is broken is a bad record if the text can be read on after it
//! ([`super::torn`]).
//!
//! A file may come in windows: what was completed in a window is passed once, and the rest comes again with the next
//! one. What must fit in one window is bounded: a record, a document that is not a record, and the part of a document
//! before its records.

use crate::bounds::{EMBEDDED_RECORDS, RECORD};
use crate::error::{Error, ErrorKind};
use crate::json::{Cursor, Value};
use crate::source::Skip;

use super::foreign::BOM;
use super::inside::Inside;
use super::lists::List;

/// Receives the records of a file.
pub(crate) trait Visitor {
    /// The cursor is at the `{` of an object. The visitor passes it, and refuses one larger than [`RECORD`]. Returns
    /// whether it was a record; if not, nothing was noted.
    fn record(&mut self, cursor: &mut Cursor<'_>, origin: Origin, index: u64) -> Result<bool, Error>;

    /// The next record is the `detail` of this event on a bus.
    fn envelope(&mut self, _event: Value) {}

    /// A record is broken, and the walk continues.
    fn bad_record(&mut self, error: Error);

    /// Something unusual about a record that loses nothing.
    fn warn(&mut self, _error: Error) {}

    /// The document at this byte, with this index, is not a record of CloudTrail.
    fn skip(&mut self, reason: Skip, at: usize, index: u64);

    /// Whether the walk should pause, so that what was visited can be handed over.
    fn is_full(&self) -> bool {
        false
    }
}

/// How far a walk through a window has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walked {
    /// To its end.
    Whole,
    /// To [`Framing::passed`], since the visitor is full.
    Paused,
    /// To [`Framing::passed`], after a torn line or plain text: tokens from there on must be indexed again, since a
    /// quote may be open.
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
#[expect(clippy::struct_excessive_bools, reason = "each is one fact about the place where the walk stands")]
pub(crate) struct Framing {
    pub(super) state: State,
    /// Whether the documents are elements of one array.
    pub(super) in_array: bool,
    /// Documents so far (good, bad and skipped), which is the index of the next.
    pub(super) records: u64,
    /// The index of the first document that is what it is since the text ends, and else may be another.
    pub(super) open: Option<u64>,
    /// How much of the window need not be walked again.
    pub(super) passed: usize,
    /// How much was passed in earlier windows.
    pub(super) before: u64,
    /// Whether each document has its own line, judging by the first one.
    pub(super) lines: Lines,
    /// Lines after which tokens were indexed again, most of them torn.
    pub(super) torn: u64,
    /// Whether the tokens from here on must be indexed again.
    pub(super) is_lost: bool,
    /// Whether this document comes directly after a torn line.
    pub(super) is_after_torn: bool,
    /// Whether the window begins within a line.
    pub(super) within_line: bool,
    /// Whether something next to the list of this document was reported.
    pub(super) is_beside_named: bool,
    /// How many documents this one is nested in.
    pub(super) depth: u32,
    /// Whether this document was inflated from a string.
    pub(super) is_inflated: bool,
    /// Whether all of the text is in memory, so that windows impose no bound.
    is_whole: bool,
    /// The first index of this document.
    first: u64,
    pub(super) inside: Option<Box<Inside>>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    #[default]
    Unknown,
    Each,
    No,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Before anything but white space and byte order marks.
    #[default]
    Start,
    /// Between documents.
    Between,
    /// Before an element of a list.
    Element(List),
    /// After an element of a list.
    AfterElement(List),
    /// In the document, after a member that is or follows its list.
    AfterList,
    /// After a document whose records were visited: they must not be visited again if the window ends before its comma.
    AfterDocument,
    /// In a torn line.
    TornLine,
    /// After a torn line, before the next line.
    AfterTornLine,
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

    /// The index from which on documents may become others if the file grows, at the end of its text; those that were
    /// records remain.
    pub(crate) fn open(&self) -> Option<u64> {
        self.open
    }

    /// Notes that the next document is what it is since the text ends.
    pub(super) fn note_open(&mut self) {
        self.open.get_or_insert(self.records);
    }

    /// Whether anything of the file has been understood.
    pub(crate) fn has_begun(&self) -> bool {
        !matches!(self.state, State::Start)
    }

    /// How much of the last window need not come again.
    pub(crate) fn passed(&self) -> usize {
        self.passed
    }

    /// Starts anew, with a document inside of the one that `outer` walks.
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

    /// Walks a window to its end, or until the visitor is full, or to the end of a torn line. Unless the window is the
    /// last one, an error at its very end may only mean that more text is needed. [`Self::tear`] decides whether an
    /// error costs a line only.
    pub(crate) fn run(
        &mut self,
        cursor: &mut Cursor<'_>,
        visitor: &mut impl Visitor,
        last: bool,
    ) -> Result<Walked, Error> {
        self.before += self.passed as u64;
        self.passed = 0;
        let walked = self.walk(cursor, visitor, last);
        self.within_line = !self.begins_line(cursor.bytes(), self.passed);
        walked
    }

    fn walk(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor, last: bool) -> Result<Walked, Error> {
        let text = &cursor.bytes()[..cursor.end()];
        if matches!(self.state, State::TornLine | State::AfterTornLine) {
            return Ok(self.pass_torn_lines(text));
        }
        loop {
            match self.step(cursor, visitor, last) {
                Ok(true) => return Ok(Walked::Whole),
                Ok(false) => self.passed = cursor.at,
                // Text that is not JSON from its first byte may be another format, and the end of the text may have a
                // cause that only the caller knows.
                Err(error) if self.state == State::Start || is_at(&error, text.len()) => return Err(error),
                Err(error) => return self.tear(text, error, visitor, last),
            }
            if std::mem::take(&mut self.is_lost) {
                return Ok(Walked::Torn);
            }
            if self.depth == 0 && visitor.is_full() {
                return Ok(Walked::Paused);
            }
        }
    }

    /// Takes one step; returns `true` at the end.
    fn step(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor, last: bool) -> Result<bool, Error> {
        match self.state {
            State::Start | State::Between if !self.in_array => pass_space(cursor, last)?,
            _ => cursor.skip_space(),
        }
        if matches!(self.state, State::Element(_) | State::AfterElement(_) | State::AfterList) {
            self.note_feeds(&cursor.bytes()[self.passed..cursor.at]);
        }
        self.passed = cursor.at;
        if self.depth > 0 {
            self.has_room(cursor)?;
        }
        match self.state {
            State::Start => self.start(cursor, last)?,
            State::Between if cursor.at >= cursor.end() && !self.in_array => return Ok(true),
            State::Between if !self.in_array && cursor.byte() == b'[' => {
                self.whole(cursor, cursor.value_from(cursor.at, cursor.token()), last)?;
                self.in_array = cursor.enter_array()?;
            }
            State::Between if self.in_array && cursor.byte() != b'{' => {
                self.other(cursor, visitor)?;
                self.state = State::AfterDocument;
            }
            State::Between => self.document(cursor, visitor, last)?,
            State::Element(which) => {
                self.element(cursor, which, visitor)?;
                self.state = State::AfterElement(which);
            }
            State::AfterElement(which) => {
                self.state = if cursor.next_element()? { State::Element(which) } else { State::AfterList };
                self.note_feeds(&cursor.bytes()[self.passed..cursor.at]);
            }
            State::AfterList => {
                if cursor.next_member()? {
                    self.member(cursor, visitor)?;
                } else {
                    if self.lines == Lines::Unknown {
                        self.lines = if self.in_array { Lines::No } else { Lines::Each };
                    }
                    self.state = State::AfterDocument;
                }
            }
            State::AfterDocument => {
                if self.in_array {
                    self.in_array = cursor.next_element()?;
                }
                self.state = State::Between;
                self.is_after_torn = false;
            }
            State::TornLine | State::AfterTornLine => unreachable!("passed before anything of a window is"),
        }
        Ok(false)
    }

    /// Refuses another record in an embedded document that has reached the limit.
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

    /// Refuses what was passed since `start` if it is too large to fit in every window.
    pub(super) fn bounded(&self, start: usize, cursor: &Cursor<'_>) -> Result<(), Error> {
        if cursor.at - start > RECORD && !self.is_whole { Err(self.too_large(start)) } else { Ok(()) }
    }

    /// The error for a record or document at `start` that is too large.
    pub(crate) fn too_large(&self, start: usize) -> Error {
        let error = Error::at(start, ErrorKind::DocumentTooLarge(RECORD as u64));
        if self.has_begun() { error.in_record(self.records) } else { error }
    }

    fn start(&mut self, cursor: &Cursor<'_>, last: bool) -> Result<(), Error> {
        let rest = &cursor.bytes()[cursor.at..cursor.end()];
        let words = [&b"null"[..], b"true", b"false"];
        match cursor.byte() {
            b'{' | b'[' | b'"' | b'0'..=b'9' => {}
            _ if words.iter().any(|word| rest.starts_with(word)) => {}
            _ if cursor.at >= cursor.end() => return Err(Error::at(cursor.at, ErrorKind::Empty)),
            _ if !last && words.iter().any(|word| word.starts_with(rest)) => return Err(cursor.unexpected_end()),
            byte => return Err(Error::at(cursor.at, ErrorKind::Unrecognized(byte))),
        }
        self.state = State::Between;
        Ok(())
    }
}

/// Passes white space before a document. Byte order marks count as white space: files that have one may have been
/// concatenated.
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

/// Whether an error is at the end of a text, or after it.
pub(crate) fn is_at(error: &Error, end: usize) -> bool {
    error.location().byte.is_some_and(|byte| byte >= end as u64)
}

#[cfg(test)]
mod tests;
