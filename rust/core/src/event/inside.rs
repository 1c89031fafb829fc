//! Documents within documents: in a string, in gzip in a string, or in place of a record.

use super::definition::of_text;
use super::framing::{Framing, Origin, Visitor, pass_space};
use crate::arena::Arena;
use crate::bounds::{EMBEDDED_DEPTH, WINDOW};
use crate::error::{Error, ErrorKind};
use crate::inflate::{Limits, Next, Stream};
use crate::json::{Cursor, Index, PADDING, Value, unescape};
use crate::source::Skip;

/// Buffers for one level of nested documents, kept from one document to the next.
#[derive(Default)]
pub(super) struct Inside {
    text: Vec<u8>,
    index: Index,
    framing: Framing,
}

/// The result of reading an embedded document.
pub(super) struct Found {
    /// The index of the next record.
    pub(super) records: u64,
    /// The damage in it, if the file can be read on after it.
    pub(super) bad: Option<ErrorKind>,
}

impl Inside {
    /// Visits the documents in an object or an array, which is valid JSON.
    pub(super) fn value(
        &mut self,
        outer: &Framing,
        cursor: &Cursor<'_>,
        value: Value,
        visitor: &mut impl Visitor,
    ) -> Result<Found, Error> {
        if outer.depth == EMBEDDED_DEPTH {
            return Ok(Found { records: outer.records(), bad: Some(ErrorKind::Embedded(EMBEDDED_DEPTH)) });
        }
        self.framing.restart(outer, false);
        self.run(&mut cursor.within(value), visitor)
    }

    /// Visits the documents in a string.
    pub(super) fn string(
        &mut self,
        outer: &Framing,
        cursor: &Cursor<'_>,
        value: Value,
        visitor: &mut dyn Visitor,
    ) -> Result<Found, Error> {
        let string = cursor.slice(value);
        self.text.clear();
        unescape(&string[1..string.len() - 1], &mut self.text);
        self.text(outer, value, false, visitor)
    }

    /// Visits the documents in a string that is base64 of gzip.
    pub(super) fn gzip(
        &mut self,
        outer: &Framing,
        cursor: &Cursor<'_>,
        value: Value,
        visitor: &mut dyn Visitor,
    ) -> Result<Found, Error> {
        let bad = |kind| Ok(Found { records: outer.records(), bad: Some(kind) });
        // AWS compresses once; nested compression would allow unbounded memory.
        if outer.is_inflated {
            return bad(ErrorKind::Embedded(EMBEDDED_DEPTH));
        }
        let Some(stored) = cursor.string(value).and_then(|string| from_base64(&string)) else {
            return bad(ErrorKind::NotBase64);
        };
        let mut arena = Arena::new(WINDOW);
        let limits = Limits { inflated: WINDOW as u64 - 1, ratio: u64::MAX };
        match Stream::new(&*stored, limits).fill(&mut arena) {
            Next::End(_) => {}
            Next::More => return bad(ErrorKind::TooLarge(WINDOW as u64)),
            Next::Damaged(error) => return bad(error.kind().clone()),
        }
        self.text.clear();
        self.text.extend_from_slice(arena.text(0));
        if std::str::from_utf8(&self.text).is_err() {
            return bad(ErrorKind::InvalidUtf8);
        }
        self.text(outer, value, true, visitor)
    }

    /// Visits the documents in [`Self::text`]. All of it must be valid before any part of it becomes a row.
    fn text(
        &mut self,
        outer: &Framing,
        value: Value,
        is_inflated: bool,
        visitor: &mut dyn Visitor,
    ) -> Result<Found, Error> {
        let length = self.text.len();
        self.text.resize(length + PADDING, 0);
        self.index.build(&self.text[..length]);
        let mut cursor = Cursor::new(&self.text, length, self.index.tokens());
        pass_space(&mut cursor, true)?;
        let start = cursor.at;
        let bad = |kind| Ok(Found { records: outer.records(), bad: Some(kind) });
        match pass_documents(&mut cursor) {
            Ok(()) if outer.depth == EMBEDDED_DEPTH => return bad(ErrorKind::Embedded(EMBEDDED_DEPTH)),
            Ok(()) => {}
            Err(error) if begins_as_documents(&self.text[start..length]) => return bad(error.kind().clone()),
            Err(_) => {
                visitor.skip(of_text(&self.text[start..length]), value.start as usize, outer.records());
                return Ok(Found { records: outer.records() + 1, bad: None });
            }
        }
        self.framing.restart(outer, is_inflated);
        let mut cursor = Cursor::new(&self.text, length, self.index.tokens());
        let mut visitor = Embedded { visitor, at: value.start as usize };
        Self::finish(self.framing.run(&mut cursor, &mut visitor, true).map(|_| ()), self.framing.records())
    }

    fn run(&mut self, cursor: &mut Cursor<'_>, visitor: &mut impl Visitor) -> Result<Found, Error> {
        Self::finish(self.framing.run(cursor, visitor, true).map(|_| ()), self.framing.records())
    }

    fn finish(result: Result<(), Error>, records: u64) -> Result<Found, Error> {
        match result {
            Ok(()) => Ok(Found { records, bad: None }),
            Err(error) if *error.kind() == ErrorKind::TooManyRecords => Err(error),
            Err(error) => Ok(Found { records, bad: Some(error.kind().clone()) }),
        }
    }
}

/// Passes text that consists of objects and arrays only, after the first one.
fn pass_documents(cursor: &mut Cursor<'_>) -> Result<(), Error> {
    if !matches!(cursor.byte(), b'{' | b'[') {
        return Err(cursor.unexpected("a record"));
    }
    loop {
        cursor.value()?;
        pass_space(cursor, true)?;
        if cursor.at >= cursor.end() {
            return Ok(());
        }
        if !matches!(cursor.byte(), b'{' | b'[') {
            return Err(cursor.unexpected("the end"));
        }
    }
}

/// Whether a string should hold records, broken or not: lines of many logs begin with `[` alone.
fn begins_as_documents(text: &[u8]) -> bool {
    match text {
        [b'{', ..] => true,
        [b'[', rest @ ..] => rest.trim_ascii_start().starts_with(b"{"),
        _ => false,
    }
}

/// Forwards what was found in a string. Its errors name the place of the string, since bytes of the decoded text are
/// not bytes of the file.
struct Embedded<'a> {
    visitor: &'a mut dyn Visitor,
    at: usize,
}

impl Visitor for Embedded<'_> {
    fn record(&mut self, cursor: &mut Cursor<'_>, _: Origin, index: u64) -> Result<bool, Error> {
        self.visitor.record(cursor, Origin::Embedded, index)
    }

    fn envelope(&mut self, event: Value) {
        self.visitor.envelope(event);
    }

    fn bad_record(&mut self, error: Error) {
        let index = error.location().record;
        let error = Error::at(self.at, error.kind().clone());
        self.visitor.bad_record(index.map_or_else(|| error.clone(), |index| error.clone().in_record(index)));
    }

    fn warn(&mut self, error: Error) {
        let index = error.location().record;
        let error = Error::at(self.at, error.kind().clone());
        self.visitor.warn(index.map_or_else(|| error.clone(), |index| error.clone().in_record(index)));
    }

    fn skip(&mut self, reason: Skip, _: usize, index: u64) {
        self.visitor.skip(reason, self.at, index);
    }
}

/// Decodes base64 with mandatory padding.
fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        Some(u32::from(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }))
    };
    let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in text[..text.len() - padding].chunks(4) {
        let mut bits = 0;
        for at in 0..4 {
            bits = bits << 6 | four.get(at).map_or(Some(0), |&byte| digit(byte))?;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::from_base64;

    #[test]
    fn base64() {
        let text = |text: &str| from_base64(text.as_bytes());
        assert_eq!(text(""), Some(vec![]));
        assert_eq!(text("TQ=="), Some(b"M".to_vec()));
        assert_eq!(text("TWE="), Some(b"Ma".to_vec()));
        assert_eq!(text("TWFu"), Some(b"Man".to_vec()));
        assert_eq!(text("+/+/"), Some(vec![0xfb, 0xff, 0xbf]));
        for wrong in ["T", "TW=u", "TWFu=", "TW-u", "====", "T==="] {
            assert_eq!(text(wrong), None, "{wrong}");
        }
    }
}
