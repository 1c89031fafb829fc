//! Torn lines. If each document has a line of its own, a broken one costs only its line: it is a bad record, and the
//! walk continues with the next line that may begin a document. Lines that can only be inside of a document (beginning
//! with a blank, `}`, `]` or `,`) belong to the line before them.
//!
//! The rest of a damaged document must not be taken for a whole one. So a document that continues after its end (`{…},
//! "x": 1}`) is not read: its beginning was lost. Directly after a torn line, the next line is checked as well. In a
//! file of lines, lists no larger than a record may be are checked to their ends before any element is visited.
//!
//! A file is one of lines if its first document has a line of its own, or if the first one breaks and the next line
//! begins like a document. In a document over many lines, damage ends the file, since the end of the document cannot be
//! known.

use super::foreign::BOM;
use super::framing::{Framing, Lines, State, Visitor, Walked, is_at};
use crate::bounds::{RECORD, TORN_BYTES, TORN_LINES};
use crate::error::{Error, ErrorKind};
use crate::json::{Cursor, Value};

/// How far to look for the end of a file's first line, which may be all of a large file.
const FIRST_LINE: usize = 16 << 10;
/// The beginning of CloudTrail's own log files.
const ORDINARY: &[u8] = b"{\"Records\":[";

impl Framing {
    /// Reports a break as a bad record if it costs only its line. Otherwise, or if more text is needed to know, returns
    /// the error. The text may end after the part that was walked.
    pub(crate) fn tear(
        &mut self,
        text: &[u8],
        error: Error,
        visitor: &mut impl Visitor,
        last: bool,
    ) -> Result<Walked, Error> {
        if matches!(self.state, State::TornLine | State::AfterTornLine) {
            return Ok(self.pass_torn_lines(text)); // Its damage was reported already.
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
        let is_first =
            self.lines == Lines::Unknown && !self.in_array && matches!(self.state, State::Start | State::Between);
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
        // Of a character of several bytes, up to three are there.
        let is_cut = matches!(error.kind(), ErrorKind::InvalidUtf8) && is_at(&error, text.len().saturating_sub(3));
        let error = if at_end && !last { self.too_large(self.passed) } else { error };
        visitor.bad_record(error.in_record(self.records));
        if last && (at_end || is_cut) {
            self.note_open(); // It may be a document over several lines.
        }
        self.records += 1;
        self.torn += 1;
        self.is_after_torn = true;
        self.in_array = false;
        self.state = if start.is_some() { State::AfterTornLine } else { State::TornLine };
        self.passed = start.unwrap_or(text.len());
        self.within_line = start.is_none();
        Ok(Walked::Torn)
    }

    /// Whether tokens were indexed again as often as allowed for what was read so far.
    pub(super) fn is_torn_too_often(&self) -> bool {
        self.torn >= TORN_LINES + (self.before + self.passed as u64) / TORN_BYTES
    }

    /// Passes the rest of a torn line, and the lines that belong to it.
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
        // The last line may not end in this window.
        let is_begun = text[self.passed..].last().is_some_and(|&byte| byte != b'\n');
        self.state = if is_begun { State::TornLine } else { State::AfterTornLine };
        self.passed = text.len();
        Walked::Whole
    }

    /// Whether the break is before the current line: something is missing, but the line itself is fine.
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

    /// Refuses a document that continues after its end, where the cursor is.
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

    /// The whole of a list, or of the document with it, if it can be checked before any part of it is visited: on a
    /// line of its own, or within another document. `begun` goes from its start to here.
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
            // A break inside is found when the element is visited; the elements before it are kept, as in any list.
            _ => Ok(None),
        }
    }
}

/// The start of the next line that may begin a document.
fn next_line(text: &[u8], mut start: usize) -> Option<usize> {
    while let Some(first) = text.get(start) {
        if !matches!(first, b' ' | b'\t' | b'\r' | b'\n' | b'}' | b']' | b',') {
            return Some(start);
        }
        start += memchr::memchr(b'\n', &text[start..])? + 1;
    }
    None
}
