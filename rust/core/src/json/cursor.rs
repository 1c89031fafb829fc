//! Walks the tokens of a window by the grammar of JSON. Everything it passes is valid JSON; it builds nothing.

use std::borrow::Cow;

use super::text::{decoded, unescape};
use crate::error::{Error, ErrorKind};
use crate::schema::Opening;

/// Deepest nesting of objects and arrays. The deepest event seen is 11 deep, and Python's own `json` gives up near
/// 1,000.
pub(crate) const MAX_DEPTH: usize = 1024;

/// A JSON value in a window: its bytes, and the token at or after its start.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Value {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) token: u32,
}

/// The inside of a key, between its quotes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) escaped: bool,
}

/// A place in a window, always at the first byte of a value, after one, or between documents.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    /// The window and `PADDING` zero bytes.
    bytes: &'a [u8],
    tokens: &'a [u32],
    /// Length of the window without the padding.
    end: usize,
    pub(crate) at: usize,
    /// Index of the first token at or after `at`.
    token: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], end: usize, tokens: &'a [u32]) -> Self {
        assert!(end <= super::MAX_WINDOW, "positions have 32 bits");
        debug_assert!(
            bytes[end..].iter().take(super::PADDING).all(|&byte| byte == 0) && bytes.len() >= end + super::PADDING
        );
        Self { bytes, tokens, end, at: 0, token: 0 }
    }

    /// The window and its padding.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Length of the window.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// The byte here; zero at the end.
    #[inline]
    pub(crate) fn byte(&self) -> u8 {
        self.bytes[self.at]
    }

    /// A second cursor at a value that this one has passed.
    pub(crate) fn back_to(&self, value: Value) -> Self {
        Self { at: value.start as usize, token: value.token as usize, ..*self }
    }

    /// A cursor at a value that this one has passed, which ends with it.
    pub(crate) fn within(&self, value: Value) -> Self {
        Self { end: value.end as usize, ..self.back_to(value) }
    }

    /// The bytes of a value, as in the file.
    #[inline]
    pub(crate) fn slice(&self, value: Value) -> &'a [u8] {
        &self.bytes[value.start as usize..value.end as usize]
    }

    /// The decoded text of a string value; `None` for a value that is not a string.
    pub(crate) fn string(&self, value: Value) -> Option<Cow<'a, [u8]>> {
        let inside = self.slice(value).strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        if !self.is_escaped(value) {
            return Some(Cow::Borrowed(inside));
        }
        let mut text = Vec::new();
        unescape(inside, &mut text);
        Some(Cow::Owned(text))
    }

    /// Whether a string value has escapes.
    #[inline]
    pub(crate) fn is_escaped(&self, value: Value) -> bool {
        self.tokens[value.token as usize + 1] + 1 != value.end
    }

    /// Moves to a place between two tokens, `at` bytes from the start of the window.
    pub(crate) fn jump(&mut self, at: usize) {
        self.at = at;
    }

    /// Moves forward to a place, past the tokens on the way. Returns whether the tokens after it are valid: they are
    /// not if a quote is open there.
    pub(crate) fn pass_to(&mut self, at: usize) -> bool {
        let mut is_open = false;
        while (self.tokens[self.token] as usize) < at {
            is_open ^= self.bytes[self.tokens[self.token] as usize] == b'"';
            self.token += 1;
        }
        self.at = at;
        !is_open
    }

    /// The value from `start` to here, whose first token is `token`.
    #[inline]
    pub(crate) fn value_from(&self, start: usize, token: usize) -> Value {
        Value { start: start as u32, end: self.at as u32, token: token as u32 }
    }

    /// Index of the first token at or after this place.
    #[inline]
    pub(crate) fn token(&self) -> usize {
        self.token
    }

    /// Passes white space.
    #[inline]
    pub(crate) fn skip_space(&mut self) {
        self.at = skip_space(self.bytes, self.at);
    }

    /// "`expected` but found …" at this place.
    #[cold]
    pub(crate) fn unexpected(&self, expected: &'static str) -> Error {
        unexpected(self.bytes, self.at, self.end, expected)
    }

    /// Fails because the text ends too early.
    #[cold]
    pub(crate) fn unexpected_end(&self) -> Error {
        unexpected(self.bytes, self.end, self.end, "more")
    }

    /// Passes the `{` here and tells whether members follow; the `}` of an empty object is passed too.
    #[inline]
    pub(crate) fn enter_object(&mut self) -> Result<bool, Error> {
        self.enter(b'}', "a key")
    }

    /// Passes the `[` here and tells whether elements follow; the `]` of an empty array is passed too.
    #[inline]
    pub(crate) fn enter_array(&mut self) -> Result<bool, Error> {
        self.enter(b']', "a value")
    }

    #[inline(always)]
    fn enter(&mut self, close: u8, expected: &'static str) -> Result<bool, Error> {
        debug_assert_eq!(self.tokens[self.token] as usize, self.at);
        self.token += 1;
        self.at = skip_space(self.bytes, self.at + 1);
        if self.at >= self.end {
            return Err(self.unexpected(expected));
        }
        let empty = self.byte() == close;
        if empty {
            self.at += 1;
            self.token += 1;
        }
        Ok(!empty)
    }

    /// Passes a key, its colon and the space around them: to the first byte of the value.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Result<Key, Error> {
        if self.byte() != b'"' {
            return Err(self.unexpected("a key"));
        }
        let start = self.at + 1;
        let close = self.tokens[self.token + 1] as usize;
        let escaped = self.bytes[close] != b'"';
        (self.at, self.token) = string_end(self.bytes, self.tokens, self.end, self.token)?;
        let end = self.at - 1;
        self.at = colon(self.bytes, self.at, self.end)?;
        Ok(Key { start, end, escaped })
    }

    /// The decoded text of a key, which may have escapes.
    pub(crate) fn name(&self, key: Key) -> Cow<'a, [u8]> {
        let inside = &self.bytes[key.start..key.end];
        if key.escaped { decoded(inside) } else { Cow::Borrowed(inside) }
    }

    /// Passes a key and its value, if both are strings without escapes and no space stands between them.
    #[inline(always)]
    pub(crate) fn plain_member(&mut self) -> Option<(Key, Value)> {
        let close = self.tokens[self.token + 1] as usize;
        if self.byte() != b'"' || three(self.bytes, close) != KEY_THEN_STRING {
            return None;
        }
        let end = self.tokens[self.token + 3] as usize;
        if self.bytes[end] != b'"' {
            return None;
        }
        let key = Key { start: self.at + 1, end: close, escaped: false };
        let value = Value { start: close as u32 + 2, end: end as u32 + 1, token: self.token as u32 + 2 };
        (self.at, self.token) = (end + 1, self.token + 4);
        Some((key, value))
    }

    /// Passes a key and its colon, if the member begins like this; space may follow.
    #[inline(always)]
    pub(crate) fn expected_key(&mut self, opening: &Opening) -> bool {
        let Some(length) = self.bytes[self.at..].first_chunk().and_then(|bytes| opening.begins(bytes)) else {
            return false;
        };
        self.at += length;
        self.token += 2;
        true
    }

    /// Passes a string without escapes.
    #[inline(always)]
    pub(crate) fn plain_string(&mut self) -> Option<Value> {
        let close = self.tokens[self.token + 1] as usize;
        if self.byte() != b'"' || self.bytes[close] != b'"' {
            return None;
        }
        let value = Value { start: self.at as u32, end: close as u32 + 1, token: self.token as u32 };
        (self.at, self.token) = (close + 1, self.token + 2);
        Some(value)
    }

    /// After a member: passes `,` if a quote follows at once.
    #[inline(always)]
    pub(crate) fn next_key(&mut self) -> bool {
        let follows = self.bytes[self.at..].first_chunk() == Some(b",\"");
        self.at += usize::from(follows);
        follows
    }

    /// After a member: passes `,` and tells that another follows, or passes `}`.
    #[inline(always)]
    pub(crate) fn next_member(&mut self) -> Result<bool, Error> {
        if self.next_key() {
            return Ok(true);
        }
        self.next(b'}', "',' or '}'")
    }

    /// After an element: passes `,` and tells that another follows, or passes `]`.
    #[inline(always)]
    pub(crate) fn next_element(&mut self) -> Result<bool, Error> {
        self.next(b']', "',' or ']'")
    }

    #[inline(always)]
    fn next(&mut self, close: u8, expected: &'static str) -> Result<bool, Error> {
        self.at = skip_space(self.bytes, self.at);
        match self.byte() {
            b',' => {
                self.at = skip_space(self.bytes, self.at + 1);
                Ok(true)
            }
            byte if byte == close => {
                self.at += 1;
                self.token += 1;
                Ok(false)
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    /// Passes a value of any kind.
    #[inline(always)]
    pub(crate) fn value(&mut self) -> Result<Value, Error> {
        let (start, token) = (self.at, self.token);
        match self.byte() {
            b'"' => (self.at, self.token) = string_end(self.bytes, self.tokens, self.end, token)?,
            b'{' | b'[' => self.container()?,
            _ => self.at = literal(self.bytes, start, self.end)?,
        }
        Ok(self.value_from(start, token))
    }

    /// Passes an object or an array. The stack holds one bit per level: set for an object.
    fn container(&mut self) -> Result<(), Error> {
        let Self { bytes, tokens, end, mut at, mut token } = *self;
        let mut stack = [0u64; MAX_DEPTH / 64];
        let mut depth = 0;
        let mut object = false;
        'value: loop {
            match bytes[at] {
                b'"' => (at, token) = string_end(bytes, tokens, end, token)?,
                open @ (b'{' | b'[') => {
                    if depth == MAX_DEPTH {
                        return Err(Error::at(at, ErrorKind::TooDeep(MAX_DEPTH as u32)));
                    }
                    object = open == b'{';
                    let bit = 1 << (depth % 64);
                    if object {
                        stack[depth / 64] |= bit;
                    } else {
                        stack[depth / 64] &= !bit;
                    }
                    depth += 1;
                    token += 1;
                    at = skip_space(bytes, at + 1);
                    // An empty object or array closes in the loop below.
                    if object && bytes[at] != b'}' {
                        if bytes[at] == b'"' {
                            token = plain_members(bytes, tokens, token);
                            at = tokens[token] as usize;
                        }
                        (at, token) = member(bytes, tokens, end, at, token)?;
                        continue 'value;
                    }
                    if !object && bytes[at] != b']' {
                        continue 'value;
                    }
                }
                _ => at = literal(bytes, at, end)?,
            }
            loop {
                at = skip_space(bytes, at);
                match bytes[at] {
                    b',' => {
                        at = skip_space(bytes, at + 1);
                        if object {
                            if bytes[at] == b'"' {
                                token = plain_members(bytes, tokens, token);
                                at = tokens[token] as usize;
                            }
                            (at, token) = member(bytes, tokens, end, at, token)?;
                        }
                        continue 'value;
                    }
                    b'}' if object => {}
                    b']' if !object => {}
                    _ => return Err(unexpected(bytes, at, end, if object { "',' or '}'" } else { "',' or ']'" })),
                }
                at += 1;
                token += 1;
                depth -= 1;
                if depth == 0 {
                    (self.at, self.token) = (at, token);
                    return Ok(());
                }
                object = stack[(depth - 1) / 64] >> ((depth - 1) % 64) & 1 == 1;
            }
        }
    }
}

/// `":"`, between a key and a string.
const KEY_THEN_STRING: u32 = u32::from_le_bytes(*b"\":\"\0");
/// `","`, between a string and a key.
const STRING_THEN_KEY: u32 = u32::from_le_bytes(*b"\",\"\0");

/// Three bytes, to compare them at once.
#[inline(always)]
fn three(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |four| u32::from_le_bytes(*four)) & 0xff_ffff
}

/// Passes members that are plain strings, as long as another key follows: most of all members, three times as fast.
#[inline(always)]
fn plain_members(bytes: &[u8], tokens: &[u32], mut token: usize) -> usize {
    while let Some(&[_, key_end, _, value_end]) = tokens[token..].first_chunk()
        && three(bytes, key_end as usize) == KEY_THEN_STRING
        && three(bytes, value_end as usize) == STRING_THEN_KEY
    {
        token += 4;
    }
    token
}

/// Passes a key and its colon.
#[inline(always)]
fn member(bytes: &[u8], tokens: &[u32], end: usize, at: usize, token: usize) -> Result<(usize, usize), Error> {
    if bytes[at] != b'"' {
        return Err(unexpected(bytes, at, end, "a key"));
    }
    let (at, token) = string_end(bytes, tokens, end, token)?;
    Ok((colon(bytes, at, end)?, token))
}

#[inline(always)]
fn colon(bytes: &[u8], at: usize, end: usize) -> Result<usize, Error> {
    let at = skip_space(bytes, at);
    if bytes[at] != b':' {
        return Err(unexpected(bytes, at, end, "':'"));
    }
    Ok(skip_space(bytes, at + 1))
}

#[inline(always)]
fn skip_space(bytes: &[u8], at: usize) -> usize {
    if bytes[at] > b' ' { at } else { skip_space_slowly(bytes, at) }
}

#[cold]
fn skip_space_slowly(bytes: &[u8], mut at: usize) -> usize {
    while is_space(bytes[at]) {
        at += 1;
    }
    at
}

/// Whether a byte is white space in JSON.
#[inline]
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// From the token of an opening quote to after the closing one, and the token there.
#[inline(always)]
fn string_end(bytes: &[u8], tokens: &[u32], end: usize, token: usize) -> Result<(usize, usize), Error> {
    let close = tokens[token + 1] as usize;
    if bytes[close] == b'"' { Ok((close + 1, token + 2)) } else { careful_string_end(bytes, tokens, end, token + 1) }
}

/// From the opening quote to after the closing one, for a string with escapes or invalid characters.
#[cold]
#[inline(never)]
fn careful_string_end(bytes: &[u8], tokens: &[u32], end: usize, mut token: usize) -> Result<(usize, usize), Error> {
    loop {
        let at = tokens[token] as usize;
        match bytes[at] {
            b'"' => return Ok((at + 1, token + 1)),
            b'\\' => match bytes[at + 1] {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' => {
                    if let Some(wrong) = (at + 2..at + 6).find(|&digit| !bytes[digit].is_ascii_hexdigit()) {
                        return Err(unexpected(bytes, wrong, end, "a hexadecimal digit"));
                    }
                }
                _ => return Err(unexpected(bytes, at + 1, end, "an escape")),
            },
            _ if at >= end => return Err(unexpected(bytes, end, end, "'\"'")),
            control => return Err(Error::at(at, ErrorKind::ControlCharacter(control))),
        }
        token += 1;
    }
}

/// Passes `true`, `false`, `null` or a number.
#[inline]
fn literal(bytes: &[u8], at: usize, end: usize) -> Result<usize, Error> {
    if let Some(b"null" | b"true") = bytes[at..].first_chunk() {
        return Ok(at + 4);
    }
    let word: &[u8] = match bytes[at] {
        b'n' => b"null",
        b't' => b"true",
        b'f' => b"false",
        b'-' | b'0'..=b'9' => return number(bytes, at, end),
        _ => return Err(unexpected(bytes, at, end, "a value")),
    };
    match word.iter().zip(&bytes[at..]).position(|(expected, found)| expected != found) {
        None => Ok(at + word.len()),
        Some(wrong) => Err(unexpected(bytes, at + wrong, end, "a value")),
    }
}

/// Passes a number: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
fn number(bytes: &[u8], mut at: usize, end: usize) -> Result<usize, Error> {
    let digits = |mut at: usize| {
        if !bytes[at].is_ascii_digit() {
            return Err(unexpected(bytes, at, end, "a digit"));
        }
        while bytes[at].is_ascii_digit() {
            at += 1;
        }
        Ok(at)
    };
    if bytes[at] == b'-' {
        at += 1;
    }
    at = if bytes[at] == b'0' { at + 1 } else { digits(at)? };
    if bytes[at] == b'.' {
        at = digits(at + 1)?;
    }
    if bytes[at] | 0x20 == b'e' {
        at += 1;
        if matches!(bytes[at], b'+' | b'-') {
            at += 1;
        }
        at = digits(at)?;
    }
    Ok(at)
}

#[cold]
#[inline(never)]
fn unexpected(bytes: &[u8], at: usize, end: usize, expected: &'static str) -> Error {
    let found = (at < end).then(|| bytes[at]);
    Error::at(at.min(end), ErrorKind::InvalidJson { expected, found })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::{Index, PADDING};

    /// Passes one value and returns where it ends, or its error.
    fn pass(text: &str) -> Result<usize, String> {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(text.len() + PADDING, 0);
        let mut index = Index::default();
        index.build(text.as_bytes());
        let mut cursor = Cursor::new(&bytes, text.len(), index.tokens());
        cursor.skip_space();
        cursor.value().map(|value| value.end as usize).map_err(|error| error.to_string())
    }

    #[test]
    fn valid_values() {
        for text in [
            "null",
            "true",
            "false",
            "0",
            "-0",
            "12",
            "1.5e-3",
            "2E+7",
            r#""""#,
            r#""aé\u00e9\"\\""#,
            "{}",
            "[]",
            "[{}]",
            r#"{"a":{"b":[1,2,{"c":null}]},"d":"}"}"#,
            " [ 1 , { \"a\" : [ ] } , \"x\" ]",
        ] {
            assert_eq!(pass(text), Ok(text.len()), "{text}");
        }
    }

    #[test]
    fn invalid_values_name_the_byte() {
        for (text, message) in [
            ("", "invalid JSON: unexpected end at byte 0"),
            ("tru", "invalid JSON: unexpected end at byte 3"),
            ("trux", "invalid JSON: expected a value but found 'x' at byte 3"),
            ("[1,]", "invalid JSON: expected a value but found ']' at byte 3"),
            ("{\"a\":1,}", "invalid JSON: expected a key but found '}' at byte 7"),
            ("{\"a\" 1}", "invalid JSON: expected ':' but found '1' at byte 5"),
            ("{\"a\":1]", "invalid JSON: expected ',' or '}' but found ']' at byte 6"),
            ("[1 2]", "invalid JSON: expected ',' or ']' but found '2' at byte 3"),
            ("[01]", "invalid JSON: expected ',' or ']' but found '1' at byte 2"),
            ("[1.]", "invalid JSON: expected a digit but found ']' at byte 3"),
            (r#""\x""#, "invalid JSON: expected an escape but found 'x' at byte 2"),
            (r#""\u12g4""#, "invalid JSON: expected a hexadecimal digit but found 'g' at byte 5"),
            ("\"a\nb\"", "invalid JSON: control character 0x0a in a string at byte 2"),
            (r#"{"a":"b"#, "invalid JSON: unexpected end at byte 7"),
            ("[\u{1}]", "invalid JSON: expected a value but found 0x01 at byte 1"),
        ] {
            assert_eq!(pass(text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(pass(&nested(1024)), Ok(2048));
        assert_eq!(pass(&nested(10_000)), Err("nested deeper than 1024 at byte 1024".to_owned()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// serde_json is the oracle: either both accept or both refuse.
        #[test]
        fn agrees_with_serde_json(
            text in r#"([\[\]{}",:\\]|[0-9eE.+\-]|"[a-z]{0,3}"|"a":|true|false|null|\\u00e9|[ \n\x01é]){0,24}"#,
        ) {
            let expected = serde_json::from_str::<serde_json::Value>(&text);
            let whole = pass(&text).is_ok_and(|end| text[end..].trim_matches([' ', '\t', '\n', '\r']).is_empty());
            // serde_json also refuses lone surrogates, which are valid JSON; the expression above makes none.
            prop_assert_eq!(whole, expected.is_ok(), "{}", text);
        }
    }
}
