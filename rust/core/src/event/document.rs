//! One document of a file: its kind, and the documents that it holds or lists.

use super::definition::{RECORD_KEYS, Signs, What};
use super::framing::{Framing, Lines, Origin, State, Visitor};
use super::inside::{Found, Inside};
use super::lists::{List, is_empty_array, lake_record, message};
use super::stamped::{self, Line};
use crate::error::{Error, ErrorKind};
use crate::json::{Cursor, Value};
use crate::source::Skip;

impl Framing {
    /// Passes a document, or its part before the list.
    pub(super) fn document(
        &mut self,
        cursor: &mut Cursor<'_>,
        visitor: &mut impl Visitor,
        last: bool,
    ) -> Result<(), Error> {
        let line = cursor.at;
        let stamped = stamped::line(cursor, last)?;
        let is_open = stamped.is_open;
        match stamped.line {
            Some(Line::Text(end)) => {
                if is_open {
                    self.note_open();
                }
                return self.text_line(cursor, end, visitor);
            }
            Some(Line::Document(start)) if !cursor.pass_to(start) => return self.look_anew(cursor),
            _ => {}
        }
        let (start, token) = (cursor.at, cursor.token());
        if cursor.byte() != b'{' {
            return self.scalar(cursor, visitor, last, is_open);
        }
        let mut signs = Signs::default();
        let mut lists_nothing = false;
        // The signs of all of its members, if they are known before any part of a list is visited.
        let (mut all, mut is_looked_through) = (None::<Signs>, false);
        let mut more = cursor.enter_object()?;
        while more {
            let key = cursor.key()?;
            let listed = List::of(cursor, key, &signs);
            // The other members decide what a document with an empty list is.
            let is_empty = listed.is_some_and(|list| list != List::Records) && is_empty_array(cursor);
            lists_nothing |= is_empty;
            let listed = listed.filter(|_| !is_empty);
            if listed.is_some() && !is_looked_through {
                is_looked_through = true;
                let whole = self.whole(cursor, cursor.value_from(start, token), last)?;
                all = whole.map(|whole| Signs::of(cursor, whole)).transpose()?;
            }
            // For a record, a list is a member like any other.
            let is_record = all.as_ref().is_some_and(|all| all.record_key().is_some());
            if let Some(list) = listed.filter(|_| !is_record) {
                self.bounded(start, cursor)?;
                let which = all.and_then(|all| List::of(cursor, key, &all)).unwrap_or(list);
                self.state = if cursor.enter_array()? { State::Element(which) } else { State::AfterList };
                self.note_feeds(&cursor.bytes()[line..cursor.at]);
                self.is_beside_named = false;
                if let Some(key) = signs.record_key() {
                    self.beside(&cursor.name(key), key.start - 1, visitor);
                }
                return Ok(());
            }
            let value = cursor.value()?;
            signs.note(cursor, key, value);
            more = cursor.next_member()?;
        }
        self.bounded(start, cursor)?;
        self.ends(cursor, start, last)?;
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
        self.state = State::AfterDocument;
        Ok(())
    }

    /// Visits an object that was passed and should be a record.
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

    /// Requests that the tokens from here on are indexed again, unless that happened too often.
    fn look_anew(&mut self, cursor: &Cursor<'_>) -> Result<(), Error> {
        if self.is_torn_too_often() {
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

    /// Passes a document that is not an object: a string may hold one.
    fn scalar(
        &mut self,
        cursor: &mut Cursor<'_>,
        visitor: &mut impl Visitor,
        last: bool,
        is_open: bool,
    ) -> Result<(), Error> {
        let (start, token) = (cursor.at, cursor.token());
        if !last && stamped::is_cut(cursor, start) {
            return Err(cursor.unexpected_end());
        }
        cursor.value()?;
        if !last && cursor.at >= cursor.end() {
            return Err(cursor.unexpected_end()); // A number may continue.
        }
        if cursor.at < cursor.end() && !matches!(cursor.byte(), b' ' | b'\t' | b'\n' | b'\r' | b'{' | b'[' | b'"') {
            return Err(cursor.unexpected("an end"));
        }
        let value = cursor.value_from(start, token);
        self.bounded(start, cursor)?;
        self.ends(cursor, start, last)?;
        // A number at the end may be the beginning of a longer one, or of a time stamp.
        let may_continue = matches!(cursor.slice(value)[0], b'-' | b'0'..=b'9') && cursor.at >= cursor.end();
        if is_open || may_continue {
            self.note_open();
        }
        self.inside(cursor, value, visitor)?;
        self.state = State::AfterDocument;
        Ok(())
    }

    /// Notes whether a document with a list extends over several lines, as the text outside of its elements shows.
    #[inline]
    pub(super) fn note_feeds(&mut self, passed: &[u8]) {
        if self.lines == Lines::Unknown && !passed.is_empty() && memchr::memchr(b'\n', passed).is_some() {
            self.lines = Lines::No;
        }
    }

    /// Passes a member after the list of a document.
    pub(super) fn member(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor) -> Result<(), Error> {
        let key = cursor.key()?;
        let is_list = List::of(cursor, key, &Signs::default()).is_some() && !is_empty_array(cursor);
        pass_whole_value(cursor)?;
        self.bounded(self.passed, cursor)?;
        let name = cursor.name(key);
        if is_list || RECORD_KEYS.iter().any(|record_key| *record_key.as_bytes() == *name) {
            self.beside(&name, key.start - 1, visitor);
        }
        self.note_feeds(&cursor.bytes()[self.passed..cursor.at]);
        Ok(())
    }

    /// Reports what a document has next to its list, which is not read: another list, or the keys of a record.
    fn beside(&mut self, name: &[u8], at: usize, visitor: &mut impl Visitor) {
        if !self.is_beside_named {
            self.is_beside_named = true;
            self.bad(ErrorKind::BesideList(String::from_utf8_lossy(name).into()), at, visitor);
        }
    }

    /// Passes an element of a list.
    pub(super) fn element(
        &mut self,
        cursor: &mut Cursor<'_>,
        list: List,
        visitor: &mut impl Visitor,
    ) -> Result<(), Error> {
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
    pub(super) fn other(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor) -> Result<(), Error> {
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

    /// Visits the documents inside of a value that was passed.
    fn inside(&mut self, cursor: &Cursor<'_>, value: Value, visitor: &mut impl Visitor) -> Result<(), Error> {
        match cursor.slice(value)[0] {
            b'{' | b'[' => {
                self.with_inside(value, visitor, |inside, outer, visitor| inside.value(outer, cursor, value, visitor))
            }
            b'"' => {
                self.with_inside(value, visitor, |inside, outer, visitor| inside.string(outer, cursor, value, visitor))
            }
            _ => {
                self.skip(Skip::NotCloudTrail, value.start as usize, visitor);
                Ok(())
            }
        }
    }

    /// Visits the documents in a string of gzip.
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
}

/// Passes a value, unless the window ends with it: a number may continue in the next one.
fn pass_whole_value(cursor: &mut Cursor<'_>) -> Result<(), Error> {
    cursor.value()?;
    if cursor.at >= cursor.end() { Err(cursor.unexpected("',' or an end")) } else { Ok(()) }
}
