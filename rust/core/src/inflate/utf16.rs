//! UTF-16 to UTF-8, piece by piece.

use std::char::decode_utf16;

use crate::error::{Error, ErrorKind};

/// Bytes of units that are decoded at once.
const INPUT: usize = 64 << 10;

/// A decoder that reads only as much as it writes, and keeps the part of a character that did not fit.
pub(super) struct Utf16 {
    unit: fn([u8; 2]) -> u16,
    input: Box<[u8]>,
    /// The part of `input` that is not yet decoded.
    start: usize,
    end: usize,
    /// The rest of a character that was decoded, but did not fit.
    rest: ([u8; 4], usize, usize),
    written: u64,
}

impl Utf16 {
    /// A decoder for what follows this byte order mark, if it is one of UTF-16.
    pub(super) fn begins(text: &[u8]) -> Option<Self> {
        let unit = match text {
            [0xff, 0xfe, ..] => u16::from_le_bytes,
            [0xfe, 0xff, ..] => u16::from_be_bytes,
            _ => return None,
        };
        Some(Self { unit, input: Box::default(), start: 0, end: 0, rest: ([0; 4], 0, 0), written: 0 })
    }

    /// Fills the output from `read`, which fills its buffer except at the end. Less is written at the end, or before
    /// units that are not a character.
    pub(super) fn decode(
        &mut self,
        output: &mut [u8],
        mut read: impl FnMut(&mut [u8]) -> usize,
    ) -> (usize, Option<Error>) {
        let mut length = self.put_rest(output);
        while length < output.len() {
            match self.end - self.start {
                0..4 if self.refill(&mut read) => {}
                0 => break,
                _ => {}
            }
            let Some(character) = self.next_character() else {
                let byte = self.written + length as u64;
                return (length, Some(Error::at(byte as usize, ErrorKind::InvalidUtf16).decoded()));
            };
            if character.is_ascii() {
                output[length] = character as u8;
                length += 1;
            } else {
                let (bytes, _, end) = &mut self.rest;
                *end = character.encode_utf8(bytes).len();
                length += self.put_rest(&mut output[length..]);
            }
        }
        self.written += length as u64;
        (length, None)
    }

    fn put_rest(&mut self, output: &mut [u8]) -> usize {
        let (bytes, start, end) = &mut self.rest;
        let rest = &bytes[*start..*end];
        let length = rest.len().min(output.len());
        output[..length].copy_from_slice(&rest[..length]);
        *start += length;
        if start == end {
            (*start, *end) = (0, 0);
        }
        length
    }

    /// The character at the front of the input; `None` if there is none.
    fn next_character(&mut self) -> Option<char> {
        let input = &self.input[self.start..self.end];
        let units = input.chunks_exact(2).take(2).map(|bytes| (self.unit)([bytes[0], bytes[1]]));
        let character = decode_utf16(units).next()?.ok()?;
        self.start += 2 * character.len_utf16();
        Some(character)
    }

    /// Reads on after what is left; whether there was anything.
    fn refill(&mut self, read: &mut impl FnMut(&mut [u8]) -> usize) -> bool {
        if self.input.is_empty() {
            self.input = vec![0; INPUT].into_boxed_slice();
        }
        self.input.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let length = read(&mut self.input[self.end..]);
        self.end += length;
        length > 0
    }
}
