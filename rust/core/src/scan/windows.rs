//! The text of one file, read in windows: memory does not depend on the size of the text, and a batch may end between
//! any two records.

use super::worker::{Closed, Outcome, Worker, in_record};
use crate::arena::Arena;
use crate::bounds::{ARENA, RECORD, WINDOW};
use crate::error::{Error, ErrorKind};
use crate::event::{Framing, Walked, foreign, is_at};
use crate::inflate::Next;
use crate::json::Cursor;

impl Worker {
    /// Reads the records of a whole text, which lies in the arena from `start` on.
    pub(super) fn text(&mut self, mut start: usize) -> Result<Outcome, Closed> {
        let mut framing = Framing::default();
        let outcome = loop {
            let end = self.arena.len().min(start + WINDOW);
            let last = end == self.arena.len();
            let window = end - start;
            match self.walk(&mut framing, start, Part { end, last, more: !last })? {
                Err(error) => break Outcome::Bad(error),
                Ok(_) if last => break Outcome::Read(None),
                Ok(passed) if window - passed.bytes > RECORD => break self.too_large(&framing),
                Ok(passed) => start = passed.start,
            }
        };
        self.rows.open = framing.open();
        self.forget_text();
        Ok(outcome)
    }

    /// Reads the records of a text that `fill` appends to the arena, as much at a time as there is room for.
    pub(super) fn windows(&mut self, mut fill: impl FnMut(&mut Arena) -> Next) -> Result<Outcome, Closed> {
        self.make_room(WINDOW)?;
        let mut framing = Framing::default();
        let mut start = self.arena.len();
        let outcome = loop {
            self.arena.reserve(ARENA);
            let next = self.arena.up_to(start + WINDOW, &mut fill);
            let part =
                Part { end: self.arena.len(), last: matches!(next, Next::End(_)), more: matches!(next, Next::More) };
            let passed = match self.walk(&mut framing, start, part)? {
                Ok(passed) => passed,
                Err(error) => break Outcome::Bad(error),
            };
            match next {
                Next::More if self.arena.len() - passed.start > RECORD => break self.too_large(&framing),
                Next::More => start = self.next_window(passed.start)?,
                Next::End(warning) => break Outcome::Read(warning),
                Next::Damaged(error) => break Outcome::Bad(in_record(error, &framing)),
            }
        };
        self.rows.open = framing.open();
        self.forget_text();
        Ok(outcome)
    }

    /// Makes room after the unread text, which begins at `start`; returns where it begins then.
    fn next_window(&mut self, start: usize) -> Result<usize, Closed> {
        if !self.rows.builders.borrows() {
            self.arena.drop_front(start);
        } else if ARENA - start < WINDOW {
            self.hand_over(start)?;
        } else {
            return Ok(start);
        }
        Ok(0)
    }

    /// Called at the end of a file: drops its text, if no rows point to it.
    fn forget_text(&mut self) {
        if !self.rows.builders.borrows() {
            self.arena.truncate(0);
        }
    }

    /// The error for a record or document that does not end within a window.
    fn too_large(&self, framing: &Framing) -> Outcome {
        Outcome::Bad(self.rows.placed(framing.too_large(0)))
    }

    /// Reads the records of the text in the arena from `start` to `end`, and hands over each full batch: the rest of
    /// the text then moves to the front of the arena.
    fn walk(&mut self, framing: &mut Framing, start: usize, mut part: Part) -> Result<Result<Passed, Error>, Closed> {
        let mut passed = Passed { start, bytes: 0 };
        loop {
            let walked = match self.window(framing, passed.start, part) {
                Ok(walked) => walked,
                Err(error) => return Ok(Err(error)),
            };
            passed.start += framing.passed();
            passed.bytes += framing.passed();
            self.rows.offset += framing.passed() as u64;
            match walked {
                Walked::Whole => return Ok(Ok(passed)),
                Walked::Torn => continue,
                Walked::Paused => {}
            }
            self.hand_over(passed.start)?;
            part.end -= passed.start;
            passed.start = 0;
        }
    }

    /// Reads the records of one window. Damage counts at its own byte of the text.
    fn window(&mut self, framing: &mut Framing, start: usize, part: Part) -> Result<Walked, Error> {
        let Part { mut end, last, more } = part;
        let arena = &mut self.arena;
        let text = &arena.text(start)[..end - start];
        if self.rows.offset == 0 && !framing.has_begun() {
            foreign::refuse_table(text).map_err(|error| self.rows.placed(error))?;
        }
        let mut damage = None;
        self.index.build(text);
        let (valid, wrong) = self.index.valid_up_to(text);
        if valid < text.len() && (wrong || last) {
            let at_start = valid == 0 && self.rows.offset == 0 && !framing.has_begun();
            let kind = if at_start { ErrorKind::Unrecognized(text[0]) } else { ErrorKind::InvalidUtf8 };
            damage = Some(Error::at(valid, kind));
            self.index.build(&text[..valid]);
            end = start + valid;
        }
        let length = end - start;
        let aside = arena.set_aside(end);
        self.rows.base = start;
        let mut cursor = Cursor::new(arena.window(start, end), length, self.index.tokens());
        let result = framing.run(&mut cursor, &mut self.rows, !more || damage.is_some());
        arena.put_back(end, &aside);
        let error = match (result, damage) {
            (Err(error), Some(damage)) if is_at(&error, length) => damage,
            (Err(error), _) | (Ok(Walked::Whole), Some(error)) => error,
            (Ok(walked), _) => return Ok(walked),
        };
        let text = &arena.text(start)[..part.end - start];
        let error = match (error.kind(), error.location().byte) {
            (ErrorKind::Empty, _) if !last => return Ok(Walked::Whole),
            (ErrorKind::Empty, _) => return Err(Error::whole(ErrorKind::Empty)),
            (ErrorKind::Unrecognized(_), Some(byte)) => Error::at(byte as usize, foreign::kind(&text[byte as usize..])),
            _ => error,
        };
        // The text continues after damage.
        let error = match framing.tear(text, error, &mut self.rows, !more) {
            Err(error) if is_at(&error, text.len()) && !last => return Ok(Walked::Whole),
            Err(error) => error,
            Ok(walked) => return Ok(walked),
        };
        Err(self.rows.placed(in_record(error, framing)))
    }
}

/// A part of the text in the arena.
#[derive(Clone, Copy)]
struct Part {
    end: usize,
    /// Whether the text ends with this part.
    last: bool,
    /// Whether another part follows; if none does and this is not the last, the rest of the text is lost.
    more: bool,
}

/// How far a walk has got.
struct Passed {
    /// Where the unread text begins in the arena.
    start: usize,
    /// How much was read.
    bytes: usize,
}
