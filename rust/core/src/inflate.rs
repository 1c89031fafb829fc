//! gzip to text: whole buffers by libdeflate, and a stream for what is large or damaged.

use std::io::{self, ErrorKind as IoErrorKind, Read};

use flate2::{Decompress, FlushDecompress, Status};

use crate::arena::Arena;
use crate::bounds::RECORD;
use crate::error::{Error, ErrorKind};
use crate::json::PADDING;
use crate::unchecked::deflate::{Decompressor, Member};

/// What a file may inflate to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes.
    pub inflated: u64,
    /// Times the size of the file, once it has inflated to 1 MiB.
    pub ratio: u64,
}

/// Short texts may repeat themselves as they like: they are no longer than what one record may have.
pub(crate) const RATIO_FROM: u64 = RECORD as u64;

impl Default for Limits {
    /// CloudTrail's own files inflate to 50 MB at most and about 10 times their size; deflate itself ends at 1,032 times.
    fn default() -> Self {
        Self { inflated: 16 << 30, ratio: 250 }
    }
}

impl Limits {
    /// What a file that is stored in so many bytes may inflate to.
    pub(crate) fn most(self, stored: u64) -> u64 {
        self.inflated.min(stored.saturating_mul(self.ratio).max(RATIO_FROM))
    }
}

/// The two bytes that a gzip member starts with.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Whether a file is gzip, by its first bytes.
pub(crate) fn is_gzip(file: &[u8]) -> bool {
    file.starts_with(&MAGIC)
}

/// The length that the last member of a gzip file says it has, modulo 2³²: a hint.
pub(crate) fn length_hint(file: &[u8]) -> usize {
    file.last_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize)
}

/// Inflates whole files, one call each.
pub(crate) struct Inflater {
    decompressor: Decompressor,
}

impl Inflater {
    pub(crate) fn new() -> Self {
        Self { decompressor: Decompressor::new() }
    }

    /// Appends the text of a right gzip file of any number of members and nothing else, and tells that number; `None`, with the
    /// arena as it was, for any other file, and where the room is too small. [`Stream`] reads those.
    pub(crate) fn whole(&mut self, mut file: &[u8], arena: &mut Arena) -> Option<u32> {
        let start = arena.len();
        let mut members = 0;
        arena.append(|text| {
            while is_gzip(file) {
                match self.decompressor.gzip(file, text, PADDING) {
                    Member::Done { read } => file = &file[read..],
                    Member::NeedsSpace | Member::Bad => break,
                }
                members += 1;
            }
        });
        if !file.is_empty() {
            arena.truncate(start);
        }
        file.is_empty().then_some(members)
    }
}

/// How a stream goes on after a call of [`Stream::fill`].
#[derive(Debug)]
pub(crate) enum Next {
    /// The room is full; there may be more text.
    More,
    /// The text is complete; bytes that follow the last member are reported.
    End(Option<Error>),
    /// The text is complete up to here, then it is lost.
    Damaged(Error),
}

/// Inflates a file of any size in bounded memory, and tells what is wrong with it. A plain file passes as it is.
pub(crate) struct Stream<R> {
    file: R,
    input: Box<[u8]>,
    /// The part of `input` that is not yet used.
    start: usize,
    end: usize,
    /// Bytes of the file before `start`.
    offset: u64,
    member: u32,
    state: State,
    written: u64,
    limits: Limits,
}

enum State {
    BeforeFile,
    Plain,
    InMember(Box<Decompress>),
    BehindMember,
}

const INPUT: usize = 128 << 10;
const OUTPUT: usize = 1 << 20;
/// Window bits for `Decompress::new_gzip`: the largest.
const WINDOW_BITS: u8 = 15;

impl<R: Read> Stream<R> {
    pub(crate) fn new(file: R, limits: Limits) -> Self {
        let input = vec![0; INPUT].into_boxed_slice();
        Self { file, input, start: 0, end: 0, offset: 0, member: 0, state: State::BeforeFile, written: 0, limits }
    }

    /// Bytes of the file that were used.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Gzip members so far; none in a plain file.
    pub(crate) fn members(&self) -> u32 {
        self.member
    }

    /// Appends text until the room of the arena is full or the text ends.
    pub(crate) fn fill(&mut self, arena: &mut Arena) -> Next {
        loop {
            if arena.room() == 0 {
                return Next::More;
            }
            let step = self.step(arena);
            if self.written > self.limits.inflated {
                return Next::Damaged(Error::whole(ErrorKind::TooLarge(self.limits.inflated)));
            }
            if self.written > RATIO_FROM && self.written > self.offset.saturating_mul(self.limits.ratio) {
                return Next::Damaged(Error::whole(ErrorKind::Ratio(self.limits.ratio)));
            }
            match step {
                Ok(None) => {}
                Ok(Some(next)) => return next,
                Err(error) => return Next::Damaged(error),
            }
        }
    }

    fn step(&mut self, arena: &mut Arena) -> Result<Option<Next>, Error> {
        self.refill()?;
        let input = &self.input[self.start..self.end];
        match &mut self.state {
            State::BeforeFile => {
                if input.is_empty() {
                    return Err(Error::whole(ErrorKind::Empty));
                }
                self.state = if is_gzip(input) { self.next_member() } else { State::Plain };
            }
            State::Plain => {
                let length = input.len().min(arena.room());
                arena.append(|text| text.extend_from_slice(&input[..length]));
                self.used(length);
                self.written += length as u64;
                if length == 0 {
                    return Ok(Some(Next::End(None)));
                }
            }
            State::InMember(inflate) => {
                let at_end = input.is_empty();
                let (read, written) = (inflate.total_in(), inflate.total_out());
                let room = arena.room().min(OUTPUT);
                let result = arena.append(|text| {
                    let start = text.len();
                    text.resize(start + room, 0);
                    let result = inflate.decompress(input, &mut text[start..], FlushDecompress::None);
                    text.truncate(start + (inflate.total_out() - written) as usize);
                    result
                });
                let (read, written) = ((inflate.total_in() - read) as usize, (inflate.total_out() - written) as usize);
                self.used(read);
                self.written += written as u64;
                match result {
                    Ok(Status::StreamEnd) => self.state = State::BehindMember,
                    Ok(_) if at_end && written == 0 => return Err(self.lost(ErrorKind::TruncatedGzip(self.member))),
                    Ok(_) => {}
                    Err(error) => {
                        return Err(self.lost(match error.message() {
                            Some("incorrect data check") => ErrorKind::Checksum(self.member),
                            Some("incorrect length check") => ErrorKind::Length(self.member),
                            _ => ErrorKind::CorruptGzip(self.member),
                        }));
                    }
                }
            }
            State::BehindMember => {
                if is_gzip(input) {
                    self.state = self.next_member();
                } else if input.is_empty() {
                    return Ok(Some(Next::End(None)));
                } else {
                    let first = self.offset;
                    while self.start < self.end {
                        self.used(self.end - self.start);
                        self.refill()?;
                    }
                    let trailing = ErrorKind::TrailingBytes(self.offset - first);
                    return Ok(Some(Next::End(Some(Error::at(first as usize, trailing)))));
                }
            }
        }
        Ok(None)
    }

    /// At least two bytes of input, unless the file has no more.
    fn refill(&mut self) -> Result<(), Error> {
        if self.end - self.start >= MAGIC.len() {
            return Ok(());
        }
        self.input.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < MAGIC.len() {
            match self.file.read(&mut self.input[self.end..]) {
                Ok(0) => break,
                Ok(length) => self.end += length,
                Err(error) if error.kind() == IoErrorKind::Interrupted => {}
                Err(error) => return Err(self.lost(reason(error))),
            }
        }
        Ok(())
    }

    fn next_member(&mut self) -> State {
        self.member += 1;
        State::InMember(Box::new(Decompress::new_gzip(WINDOW_BITS)))
    }

    fn used(&mut self, length: usize) {
        self.start += length;
        self.offset += length as u64;
    }

    fn lost(&self, kind: ErrorKind) -> Error {
        Error::at(self.offset as usize, kind)
    }
}

/// Why a file cannot be read: as whoever reads it says, or in the words of the operating system.
fn reason(error: io::Error) -> ErrorKind {
    match error.downcast::<Error>() {
        Ok(error) => error.kind().clone(),
        Err(error) => ErrorKind::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
