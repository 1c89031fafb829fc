//! Finds the records of a file. The shape is told by content, never by name:
//!
//! | shape | records |
//! |---|---|
//! | `{"Records": […]}` | its elements |
//! | a bare record | itself |
//! | EventBridge envelope | `detail` |
//! | `lookup-events` output, `{"Events": […]}` | the JSON text in each `CloudTrailEvent` |
//! | CloudWatch Logs, `{"events": […]}` or `{"logEvents": […]}` | the JSON text in each `message` |
//! | an array of any of these; any of these one after another (NDJSON), each with a time stamp before it or not | theirs |
//! | a digest file | none |
//!
//! A file may come in windows: what ends before a window does is passed once and for all, the rest comes again with the next one. What
//! must be in one window (a record, a document that is none, what stands before the records of one) is bounded, so that a window is.

use crate::bounds::RECORD;
use crate::error::{Error, ErrorKind};
use crate::json::{Cursor, Index, Key, PADDING, Value, unescape};
use crate::scalar::timestamp;

/// Who is told about the records of a file.
pub(crate) trait Visitor {
    /// The cursor stands at the `{` of a record; the visitor passes it, and refuses one that is larger than [`RECORD`].
    fn record(&mut self, cursor: &mut Cursor<'_>, origin: Origin, index: u64) -> Result<(), Error>;

    /// The next record is the `detail` of this event on a bus.
    fn envelope(&mut self, _event: Value) {}

    /// An element that should be a record is none; the file goes on.
    fn bad_record(&mut self, error: Error);

    /// The file is a digest file.
    fn digest(&mut self);

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
pub(crate) struct Framing {
    state: State,
    /// Whether the documents are elements of one array.
    in_array: bool,
    /// Records so far, good and bad: the index of the next.
    records: u64,
    /// How much of the window has been passed once and for all.
    passed: usize,
    embedded: Embedded,
}

#[derive(Default, Clone, Copy)]
enum State {
    /// Before the first byte of the file.
    #[default]
    Start,
    /// Behind white space, or a byte order mark, at the start of the file.
    Blank,
    /// Between documents.
    Between,
    /// Before an element of `Records`, or of a listing.
    Element(Option<Listing>),
    /// Behind such an element.
    BehindElement(Option<Listing>),
    /// In the document, behind a member that is or follows `Records` or the listing.
    BehindRecords,
    /// Behind a document: its records have been visited, and must not be again when the window ends before its comma.
    BehindDocument,
}

/// Documents whose records come as strings.
#[derive(Clone, Copy)]
enum Listing {
    /// What `aws cloudtrail lookup-events` prints.
    LookupEvents,
    /// What `CloudWatch` Logs gives to its readers and subscribers.
    CloudWatchLogs,
}

/// What the members of a document say about its shape.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one sign, seen or not")]
struct Signs {
    detail: Option<Value>,
    envelope: bool,
    digest_start: bool,
    digest_end: bool,
    event: bool,
}

impl Framing {
    /// Index of the next record.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Whether anything of the file has been understood.
    pub(crate) fn has_begun(&self) -> bool {
        !matches!(self.state, State::Start | State::Blank)
    }

    /// How much of the last window need not come again.
    pub(crate) fn passed(&self) -> usize {
        self.passed
    }

    /// Walks through a window to its end, or until the visitor is full. An error at the very end of the window may only mean that more
    /// must come.
    pub(crate) fn run(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor) -> Result<Walked, Error> {
        self.passed = 0;
        loop {
            if !matches!(self.state, State::Start) {
                cursor.skip_space();
                self.passed = cursor.at;
            }
            match self.state {
                State::Start => {
                    if cursor.bytes().starts_with(b"\xef\xbb\xbf") {
                        cursor.jump(3);
                    }
                    self.state = State::Blank;
                }
                State::Blank => self.start(cursor)?,
                State::Between if cursor.at >= cursor.end() && !self.in_array => return Ok(Walked::Whole),
                State::Between if !self.in_array && cursor.byte() == b'[' => self.in_array = cursor.enter_array()?,
                State::Between if self.in_array && cursor.byte() != b'{' => {
                    self.not_a_record(cursor, visitor)?;
                    self.state = State::BehindDocument;
                }
                State::Between => self.document(cursor, visitor)?,
                State::Element(listing) => {
                    self.element(cursor, listing, visitor)?;
                    self.state = State::BehindElement(listing);
                }
                State::BehindElement(listing) => {
                    self.state = if cursor.next_element()? { State::Element(listing) } else { State::BehindRecords };
                }
                State::BehindRecords => {
                    if cursor.next_member()? {
                        let key = cursor.key()?;
                        if is(cursor, key, b"Records") {
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
            self.passed = cursor.at;
            if visitor.is_full() {
                return Ok(Walked::Paused);
            }
        }
    }

    /// Refuses what was passed since `start` if it is too large to be held for sure, wherever a window ends.
    fn bounded(&self, start: usize, cursor: &Cursor<'_>) -> Result<(), Error> {
        if cursor.at - start > RECORD { Err(self.too_large(start)) } else { Ok(()) }
    }

    /// What begins at `start` is too large.
    pub(crate) fn too_large(&self, start: usize) -> Error {
        let error = Error::at(start, ErrorKind::DocumentTooLarge(RECORD as u64));
        if self.has_begun() { error.in_record(self.records) } else { error }
    }

    fn start(&mut self, cursor: &Cursor<'_>) -> Result<(), Error> {
        match cursor.byte() {
            b'{' | b'[' | b'0'..=b'9' => {}
            _ if cursor.at >= cursor.end() => return Err(Error::at(cursor.at, ErrorKind::Empty)),
            byte => return Err(Error::at(cursor.at, ErrorKind::Unrecognized(byte))),
        }
        self.state = State::Between;
        Ok(())
    }

    /// Passes a document, or the part of it before its records.
    fn document(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor) -> Result<(), Error> {
        if matches!(cursor.byte(), b'1'..=b'9') {
            pass_time_stamp(cursor);
        }
        let (start, token) = (cursor.at, cursor.token());
        if cursor.byte() != b'{' {
            cursor.value()?;
            if cursor.byte().is_ascii_digit() {
                return Err(cursor.unexpected("an end")); // A number that begins with 0 ends with it.
            }
            let may_go_on = cursor.at >= cursor.end() || is_cut_time_stamp(cursor, start);
            let at = if may_go_on { cursor.end() } else { start };
            return Err(Error::at(at, ErrorKind::NotCloudTrail));
        }
        let mut signs = Signs::default();
        let mut more = cursor.enter_object()?;
        while more {
            let key = cursor.key()?;
            let listing = match &*cursor.name(key) {
                b"Records" if cursor.byte() != b'[' => return Err(Error::at(cursor.at, ErrorKind::RecordsNotArray)),
                b"Records" => Some(None),
                b"Events" if signs.allow_listing(cursor) => Some(Some(Listing::LookupEvents)),
                b"events" | b"logEvents" if signs.allow_listing(cursor) => Some(Some(Listing::CloudWatchLogs)),
                _ => None,
            };
            if let Some(listing) = listing {
                self.bounded(start, cursor)?;
                self.state = if cursor.enter_array()? { State::Element(listing) } else { State::BehindRecords };
                return Ok(());
            }
            let value = cursor.value()?;
            signs.note(cursor, key, value);
            more = cursor.next_member()?;
        }
        self.bounded(start, cursor)?;
        if signs.digest_start && signs.digest_end {
            visitor.digest();
        } else {
            let record = match signs.detail {
                Some(detail) if signs.envelope => {
                    visitor.envelope(cursor.value_from(start, token));
                    detail
                }
                _ if signs.event => cursor.value_from(start, token),
                _ => return Err(Error::at(start, ErrorKind::NotCloudTrail)),
            };
            visitor.record(&mut cursor.back_to(record), Origin::Window, self.records)?;
            self.records += 1;
        }
        self.state = State::BehindDocument;
        Ok(())
    }

    /// Passes an element of `Records` or of a listing.
    fn element(&mut self, cursor: &mut Cursor<'_>, listing: Option<Listing>, visitor: &mut impl Visitor) -> Result<(), Error> {
        if cursor.byte() != b'{' {
            return self.not_a_record(cursor, visitor);
        }
        match listing {
            None => visitor.record(cursor, Origin::Window, self.records)?,
            Some(listing) => {
                let element = cursor.value()?;
                self.bounded(element.start as usize, cursor)?;
                let result = match member(cursor, element, listing.member())? {
                    Some(text) => self.embedded.visit(cursor, text, visitor, self.records),
                    None => Err(Error::whole(ErrorKind::RecordNotObject)),
                };
                if let Err(error) = result {
                    // A byte of the decoded text is no byte of the file: the element's own place is named.
                    visitor.bad_record(Error::at(element.start as usize, error.kind().clone()).in_record(self.records));
                }
            }
        }
        self.records += 1;
        Ok(())
    }

    /// Passes a value where a record should be.
    fn not_a_record(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor) -> Result<(), Error> {
        let at = cursor.at;
        pass_whole_value(cursor)?;
        self.bounded(at, cursor)?;
        visitor.bad_record(Error::at(at, ErrorKind::RecordNotObject).in_record(self.records));
        self.records += 1;
        Ok(())
    }
}

impl Listing {
    /// The member of an element that holds the text of a record.
    fn member(self) -> &'static [u8] {
        match self {
            Self::LookupEvents => b"CloudTrailEvent",
            Self::CloudWatchLogs => b"message",
        }
    }
}

impl Signs {
    /// Whether the array at the cursor may be a listing: a record, too, may have a key of that name.
    fn allow_listing(&self, cursor: &Cursor<'_>) -> bool {
        cursor.byte() == b'[' && !self.event && !self.envelope
    }

    fn note(&mut self, cursor: &Cursor<'_>, key: Key, value: Value) {
        match &*cursor.name(key) {
            b"detail" => self.detail = Some(value).filter(|&value| cursor.slice(value)[0] == b'{'),
            b"detail-type" => self.envelope = true,
            b"digestStartTime" => self.digest_start = true,
            b"digestEndTime" => self.digest_end = true,
            b"eventVersion" | b"eventTime" | b"eventName" | b"eventSource" | b"eventID" | b"eventType" | b"eventCategory"
            | b"userIdentity" => self.event = true,
            _ => {}
        }
    }
}

/// Decodes records that come as strings.
#[derive(Default)]
struct Embedded {
    text: Vec<u8>,
    index: Index,
}

impl Embedded {
    fn visit(&mut self, outer: &Cursor<'_>, value: Value, visitor: &mut impl Visitor, record: u64) -> Result<(), Error> {
        let string = outer.slice(value);
        self.text.clear();
        unescape(&string[1..string.len() - 1], &mut self.text);
        let length = self.text.len();
        self.text.resize(length + PADDING, 0);
        self.index.build(&self.text[..length]);
        let mut cursor = Cursor::new(&self.text, length, self.index.tokens());
        cursor.skip_space();
        if cursor.byte() != b'{' {
            return Err(Error::whole(ErrorKind::RecordNotObject));
        }
        // All of it must be right before the visitor makes a row of it.
        let whole = cursor.value()?;
        cursor.skip_space();
        if cursor.at < length {
            return Err(cursor.unexpected("the end"));
        }
        visitor.record(&mut cursor.back_to(whole), Origin::Embedded, record)
    }
}

/// The string under a key of an element.
fn member(cursor: &Cursor<'_>, element: Value, wanted: &[u8]) -> Result<Option<Value>, Error> {
    let mut cursor = cursor.back_to(element);
    let mut found = None;
    let mut more = cursor.enter_object()?;
    while more {
        let key = cursor.key()?;
        let value = cursor.value()?;
        if is(&cursor, key, wanted) && cursor.bytes()[value.start as usize] == b'"' {
            found = Some(value);
        }
        more = cursor.next_member()?;
    }
    Ok(found)
}

fn is(cursor: &Cursor<'_>, key: Key, name: &[u8]) -> bool {
    *cursor.name(key) == *name
}

/// Passes a value, unless the window ends with it: a number may go on in the next one.
fn pass_whole_value(cursor: &mut Cursor<'_>) -> Result<(), Error> {
    cursor.value()?;
    if cursor.at >= cursor.end() { Err(cursor.unexpected("',' or an end")) } else { Ok(()) }
}

/// Bytes of a time stamp at most.
const TIME_STAMP: usize = 40;

/// Whether the window ends in what may become a time stamp.
fn is_cut_time_stamp(cursor: &Cursor<'_>, start: usize) -> bool {
    let rest = &cursor.bytes()[start..cursor.end()];
    rest.len() < TIME_STAMP && rest.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b':' | b'.' | b'+' | b'T' | b'Z'))
}

/// CloudWatch Logs puts the time before each line when it exports to S3.
fn pass_time_stamp(cursor: &mut Cursor<'_>) {
    let rest = &cursor.bytes()[cursor.at..];
    let length = rest.iter().take(TIME_STAMP).position(|byte| matches!(byte, b' ' | b'\t'));
    if let Some(length) = length.filter(|&length| timestamp(&rest[..length]).is_some()) {
        cursor.jump(cursor.at + length);
        cursor.skip_space();
    }
}

#[cfg(test)]
mod tests;
