//! Lines that are torn. Where each document has a line of its own, one that breaks costs its line, and no more: a bad record is told of,
//! and the walk goes on with the next line that may begin a document. Lines that begin as only the inside of a document does (with a
//! blank, `}`, `]` or `,`) go with the one before them.
//!
//! What is left of a document must not pass for one. So nothing is read of what goes on after its end (`{…}, "x": 1}`): that was a part
//! of something that has lost its beginning. Directly after a torn line, the line after it is looked at as well. Lists, of which each element is visited when it has been passed, are looked through to their
//! ends first, in a file of lines, if they are no larger than a record may be.
//!
//! Lines are what documents have if the first one of the file had one, or if the first one breaks and the next line begins as a document
//! does. A document over many lines has no end that could be known: there the file ends.

use super::foreign::BOM;
use super::framing::{Framing, Lines, State, Visitor, Walked, is_at};
use crate::bounds::{RECORD, TORN_BYTES, TORN_LINES};
use crate::error::{Error, ErrorKind};
use crate::json::{Cursor, Value};

/// So far it is looked for the end of the first line of a file: it may be all of a large one.
const FIRST_LINE: usize = 16 << 10;
/// How the log files of CloudTrail itself begin.
const ORDINARY: &[u8] = b"{\"Records\":[";

impl Framing {
    /// What broke is told of as a bad record if it costs no more than its line; otherwise, or if more must come to know, the error comes
    /// back. The text may end after the part that was walked through.
    pub(crate) fn tear(&mut self, text: &[u8], error: Error, visitor: &mut impl Visitor, last: bool) -> Result<Walked, Error> {
        if matches!(self.state, State::TornLine | State::AfterTornLine) {
            return Ok(self.pass_torn_lines(text)); // Its damage is no news.
        }
        let may_tear = matches!(
            error.kind(),
            ErrorKind::InvalidJson { .. }
                | ErrorKind::ControlCharacter(_)
                | ErrorKind::TooDeep(_)
                | ErrorKind::DocumentTooLarge(_)
                | ErrorKind::InvalidUtf8
                | ErrorKind::Unrecognized(_)
        );
        let is_first = self.lines == Lines::Unknown && !self.in_array && matches!(self.state, State::Start | State::Between);
        if self.depth > 0 || !may_tear || self.is_torn_too_often() || !(is_first || self.lines == Lines::Each) {
            return Err(error);
        }
        let may_come = !last && text.len() - self.passed <= RECORD;
        let at_end = is_at(&error, text.len());
        if at_end && may_come {
            return Err(error);
        }
        let wait = || Error::at(text.len(), error.kind().clone());
        let start = match memchr::memchr(b'\n', &text[self.passed..]) {
            _ if self.stands_before(text, &error) => Some(self.passed),
            Some(feed) => Some(self.passed + feed + 1),
            None if may_come => return Err(wait()),
            None if last || is_first => return Err(error),
            None => None,
        };
        if is_first {
            match start.and_then(|start| next_line(text, start)).map(|next| text[next]) {
                Some(b'{') => {}
                Some(b'1'..=b'9') if !matches!(error.kind(), ErrorKind::Unrecognized(_)) => {}
                None if may_come => return Err(wait()),
                _ => return Err(error),
            }
            self.lines = Lines::Each;
        }
        let error = if at_end && !last { self.too_large(self.passed) } else { error };
        visitor.bad_record(error.in_record(self.records));
        self.records += 1;
        self.torn += 1;
        self.is_after_torn = true;
        self.in_array = false;
        self.state = if start.is_some() { State::AfterTornLine } else { State::TornLine };
        self.passed = start.unwrap_or(text.len());
        self.within_line = start.is_none();
        Ok(Walked::Torn)
    }

    /// Whether tokens were looked for anew as often as may be, for what was read so far.
    pub(super) fn is_torn_too_often(&self) -> bool {
        self.torn >= TORN_LINES + (self.before + self.passed as u64) / TORN_BYTES
    }

    /// Passes the rest of a torn line, and the lines that go with it.
    pub(super) fn pass_torn_lines(&mut self, text: &[u8]) -> Walked {
        if self.state == State::TornLine {
            let Some(feed) = memchr::memchr(b'\n', &text[self.passed..]) else {
                self.passed = text.len();
                return Walked::Whole;
            };
            self.passed += feed + 1;
            self.state = State::AfterTornLine;
        }
        if let Some(next) = next_line(text, self.passed) {
            self.passed = next;
            self.state = State::Between;
            return Walked::Torn;
        }
        // The last line may have no end in this window.
        let is_begun = text[self.passed..].last().is_some_and(|&byte| byte != b'\n');
        self.state = if is_begun { State::TornLine } else { State::AfterTornLine };
        self.passed = text.len();
        Walked::Whole
    }

    /// Whether what broke lies before the line that begins where the walk stands: something is missing, and nothing of the line is wrong.
    fn stands_before(&self, text: &[u8], error: &Error) -> bool {
        let is_between = self.state == State::Between && !self.in_array || self.state == State::Start;
        let is_here = error.location().byte == Some(self.passed as u64);
        !is_between && is_here && self.passed < text.len() && self.begins_line(text, self.passed)
    }

    /// Whether a line begins at this place of the window.
    pub(super) fn begins_line(&self, text: &[u8], at: usize) -> bool {
        let before = &text[..at];
        if before.is_empty() { !self.within_line } else { before.ends_with(b"\n") || before.ends_with(BOM) }
    }

    /// Refuses a document that goes on after its end, which is where the cursor stands.
    pub(super) fn ends(&self, cursor: &Cursor<'_>, start: usize, last: bool) -> Result<(), Error> {
        if self.in_array || self.depth > 0 {
            return Ok(());
        }
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r') || *byte == b'\n' && self.is_after_torn;
        let rest = &cursor.bytes()[cursor.at..cursor.end()];
        let blanks = rest.iter().take_while(|byte| is_blank(byte)).count();
        match rest.get(blanks) {
            None if !last && cursor.end() - start <= RECORD => Err(cursor.unexpected_end()),
            Some(b',' | b'}' | b']' | b':') => {
                let here = cursor.value_from(cursor.at, cursor.token());
                let mut after = cursor.back_to(here);
                after.jump(cursor.at + blanks);
                Err(after.unexpected("an end"))
            }
            _ => Ok(()),
        }
    }

    /// The whole of a list, or of the document that has it, where that can be looked through before a part of it is visited: on a line
    /// of its own, or within another document. `begun` goes from its start to here.
    pub(super) fn whole(&self, cursor: &Cursor<'_>, begun: Value, last: bool) -> Result<Option<Value>, Error> {
        let (start, text) = (begun.start as usize, &cursor.bytes()[..cursor.end()]);
        let is_line = !self.in_array && self.depth == 0;
        let most = if is_line && self.lines != Lines::Each { FIRST_LINE } else { RECORD };
        let may_come = !last && text.len() - start <= most;
        let mut end = text.len();
        if is_line {
            match memchr::memchr(b'\n', &text[start..text.len().min(start + most)]) {
                Some(feed) => end = start + feed,
                None if may_come => return Err(cursor.unexpected_end()),
                None if text.len() - start > most => return Ok(None),
                None => {}
            }
            let rest = &text[end..];
            if may_come && !rest.is_empty() && rest.trim_ascii().is_empty() {
                return Err(cursor.unexpected_end());
            }
            // Most files are one document on one line. Others have one on many lines.
            let is_all = last && rest.trim_ascii().is_empty() && text[start..].starts_with(ORDINARY);
            if is_all && self.records == 0 || matches!(rest, [b'\n', b' ' | b'\t', ..]) {
                return Ok(None);
            }
        }
        let mut ahead = cursor.back_to(begun);
        match ahead.value() {
            Ok(value) if ahead.at <= end && ahead.at - start <= RECORD => {
                self.ends(&ahead, start, last)?;
                Ok(Some(value))
            }
            Err(error) if !is_line && may_come && is_at(&error, text.len()) => Err(error),
            // What breaks within does so when it is visited: what comes before is kept, as of any list.
            _ => Ok(None),
        }
    }
}

/// Where the next line begins, from a line's beginning on, that is more than the inside of a document.
fn next_line(text: &[u8], mut start: usize) -> Option<usize> {
    while let Some(first) = text.get(start) {
        if !matches!(first, b' ' | b'\t' | b'\r' | b'\n' | b'}' | b']' | b',') {
            return Some(start);
        }
        start += memchr::memchr(b'\n', &text[start..])? + 1;
    }
    None
}
