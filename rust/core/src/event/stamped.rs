//! Log lines as `aws logs tail` prints and CloudWatch Logs exports them: a time stamp, perhaps the name of the log
//! stream, and a document or plain text.
//!
//! A name may contain blanks and brackets, and plain text may contain JSON. So the text after a time stamp decides: it
//! is a document if it is JSON up to the end of its line, if it is a record, or if it begins like one and is broken.

use super::definition::is_record_at;
use crate::error::Error;
use crate::json::{Cursor, is_space};
use crate::scalar::timestamp;

/// Bytes of the longest time stamp.
const TIME_STAMP: usize = 40;
/// Bytes of the longest name of a log stream.
const STREAM: usize = 512;

/// The text after a time stamp.
pub(super) enum Line {
    /// A document, which begins at this byte.
    Document(usize),
    /// Plain text, up to this byte.
    Text(usize),
}

/// What the line at the cursor is, as far as it is known.
pub(super) struct Stamped {
    /// The text after its time stamp, if it begins with one.
    pub(super) line: Option<Line>,
    /// Whether the text ends before that is certain: in a file that grows, the line may become something else.
    pub(super) is_open: bool,
}

/// The text after the time stamp on the line at the cursor, if the line begins with one.
pub(super) fn line(cursor: &Cursor<'_>, last: bool) -> Result<Stamped, Error> {
    match find(cursor, false) {
        Ok(line) => Ok(Stamped { line, is_open: false }),
        Err(_) if last => Ok(Stamped { line: find(cursor, true)?, is_open: true }),
        Err(error) => Err(error),
    }
}

/// The text after the time stamp; an error if that depends on what follows the window, which nothing does if it is the
/// last one.
fn find(cursor: &Cursor<'_>, last: bool) -> Result<Option<Line>, Error> {
    if !matches!(cursor.byte(), b'1'..=b'9') {
        return Ok(None);
    }
    let text = &cursor.bytes()[..cursor.end()];
    let length = text[cursor.at..].iter().take(TIME_STAMP).position(|byte| is_space(*byte));
    let Some(length) = length.filter(|&length| is_time_stamp(&text[cursor.at..cursor.at + length])) else {
        return Ok(None);
    };
    let more = |at: Option<usize>| {
        if at.is_none() && !last { Err(cursor.unexpected_end()) } else { Ok(at.unwrap_or(text.len())) }
    };
    let stamp = cursor.at + length;
    let first = more(text[stamp..].iter().position(|byte| !is_space(*byte)).map(|gap| stamp + gap))?;
    if let Some(line) = at(cursor, first, false, last)? {
        return Ok(Some(line));
    }
    let feed = memchr::memchr(b'\n', &text[stamp..]).map(|feed| stamp + feed);
    let mut from = first;
    let within = &text[..feed.unwrap_or(text.len()).min(first + STREAM + 1)];
    while let Some(brace) = memchr::memchr(b'{', within.get(from..).unwrap_or_default()).map(|brace| from + brace) {
        if is_space(text[brace - 1])
            && let Some(line) = at(cursor, brace, true, last)?
        {
            return Ok(Some(line));
        }
        from = brace + 1;
    }
    let feed = more(feed)?;
    // A record printed over several lines may begin on the next one.
    let has_name = first < feed && !text[first..feed].trim_ascii_end().iter().any(|byte| is_space(*byte));
    if has_name {
        let next = more(text[feed..].iter().position(|byte| !is_space(*byte)).map(|gap| feed + gap))?;
        if text[next..].starts_with(b"{") {
            return Ok(at(cursor, next, false, last)?.or(Some(Line::Text(feed))));
        }
    }
    Ok(Some(Line::Text(feed)))
}

/// The document that begins at this byte, or the line of plain text that contains it; `None` if neither begins here.
/// After a name, which may be any text, a document must end its line, since plain text may quote one.
fn at(cursor: &Cursor<'_>, start: usize, is_named: bool, last: bool) -> Result<Option<Line>, Error> {
    let text = &cursor.bytes()[..cursor.end()];
    let rest = text.get(start..).unwrap_or_default();
    if !matches!(rest, [b'{' | b'[' | b'"', ..]) {
        return Ok(None);
    }
    let is_object = rest[0] == b'{';
    let Some(second) = rest[1..].iter().find(|byte| !is_space(**byte)) else {
        return if last { Ok(is_object.then_some(Line::Document(start))) } else { Err(cursor.unexpected_end()) };
    };
    if is_object && !matches!(second, b'"' | b'}') {
        return Ok(None);
    }
    let mut ahead = cursor.clone();
    if !ahead.pass_to(start) {
        // A quote in the name hides the brackets after it.
        return Ok(is_object.then_some(Line::Document(start)));
    }
    let token = ahead.token();
    match ahead.value() {
        Ok(_) => {
            let value = ahead.value_from(start, token);
            let feed = || memchr::memchr(b'\n', &text[ahead.at..]).map(|feed| ahead.at + feed);
            match text[ahead.at..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) {
                None if !last => Err(cursor.unexpected_end()),
                None | Some(b'\n') => Ok(Some(Line::Document(start))),
                Some(_) if !is_object => Ok(None),
                Some(b'{' | b'[' | b'"') if !is_named => Ok(Some(Line::Document(start))),
                Some(_) if !is_named && is_record_at(&ahead, value) => Ok(Some(Line::Document(start))),
                Some(_) => match feed() {
                    None if !last => Err(cursor.unexpected_end()),
                    feed => Ok(Some(Line::Text(feed.unwrap_or(text.len())))),
                },
            }
        }
        Err(error) if !last && error.location().byte.is_some_and(|byte| byte >= text.len() as u64) => Err(error),
        Err(_) if is_object || *second == b'{' => Ok(Some(Line::Document(start))),
        Err(_) => Ok(None),
    }
}

/// Whether the window ends in what may become a time stamp.
pub(super) fn is_cut(cursor: &Cursor<'_>, start: usize) -> bool {
    let rest = &cursor.bytes()[start..cursor.end()];
    rest.len() < TIME_STAMP
        && rest.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b':' | b'.' | b'+' | b'T' | b'Z'))
}

/// Whether this is a time; its zone may be missing.
fn is_time_stamp(text: &[u8]) -> bool {
    timestamp(text).is_some() || timestamp(&[text, b"Z"].concat()).is_some()
}
