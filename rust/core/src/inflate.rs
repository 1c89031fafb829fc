//! gzip to text: whole buffers by libdeflate, and a stream for what is large or damaged.

use std::io::{self, ErrorKind as IoErrorKind, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use crate::arena::Arena;
use crate::bounds::RECORD;
use crate::error::{Error, ErrorKind};
use crate::json::PADDING;
use crate::unchecked::deflate::{Decompressor, Member};

use header::{Header, MAGIC};

pub(crate) use unwrapped::{Unwrapped, is_wrapped};

mod header;
mod unwrapped;
mod utf16;

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
            while is_gzip(file) && !header::has_checksum(file) {
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
    /// The text is complete; zeros that follow the last member are reported.
    End(Option<Error>),
    /// The text is complete up to here, then it is lost.
    Damaged(Error),
}

impl Next {
    /// How many bytes follow the last member that was found, when all members up to it are whole.
    pub(crate) fn trailing(&self) -> Option<u64> {
        match self {
            Self::More => None,
            Self::End(None) => Some(0),
            Self::End(Some(error)) | Self::Damaged(error) => error.trailing_bytes(),
        }
    }
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
    /// Made for the first member, and used again for each one that follows.
    inflate: Option<Decompress>,
    /// Of the member's text.
    crc: Crc,
    written: u64,
    limits: Limits,
}

/// Appends what `write` gives until the room of the arena is full or the text ends.
fn fill(arena: &mut Arena, mut write: impl FnMut(&mut [u8]) -> (usize, Option<Next>)) -> Next {
    loop {
        let room = arena.room().min(OUTPUT);
        if room == 0 {
            return Next::More;
        }
        let next = arena.append(|text| {
            let start = text.len();
            text.resize(start + room, 0);
            let (written, next) = write(&mut text[start..]);
            text.truncate(start + written);
            next
        });
        if let Some(next) = next {
            return next;
        }
    }
}

enum State {
    BeforeFile,
    Plain,
    InHeader(Header),
    InText,
    /// The checksum and the length of the member's text, and how many of their bytes have been read.
    InTrailer([u8; 8], usize),
    AfterMember,
}

const INPUT: usize = 128 << 10;
/// Text that is written at once: memory is zeroed by so much.
const OUTPUT: usize = 1 << 20;

impl<R: Read> Stream<R> {
    pub(crate) fn new(file: R, limits: Limits) -> Self {
        let input = vec![0; INPUT].into_boxed_slice();
        Self {
            file,
            input,
            start: 0,
            end: 0,
            offset: 0,
            member: 0,
            state: State::BeforeFile,
            inflate: None,
            crc: Crc::new(),
            written: 0,
            limits,
        }
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
        fill(arena, |output| self.write(output))
    }

    /// Writes text, across as many members as there are, until the output is full or the text ends.
    fn write(&mut self, output: &mut [u8]) -> (usize, Option<Next>) {
        let mut length = 0;
        while length < output.len() {
            let before = self.written;
            let step = self.step(&mut output[length..]);
            length += (self.written - before) as usize;
            if self.written > self.limits.inflated {
                return (length, Some(Next::Damaged(Error::whole(ErrorKind::TooLarge(self.limits.inflated)))));
            }
            if self.written > RATIO_FROM && self.written > self.offset.saturating_mul(self.limits.ratio) {
                return (length, Some(Next::Damaged(Error::whole(ErrorKind::Ratio(self.limits.ratio)))));
            }
            match step {
                Ok(None) => {}
                Ok(next) => return (length, next),
                Err(error) => return (length, Some(Next::Damaged(error))),
            }
        }
        (length, None)
    }

    /// Takes the next part of the file, and adds to `written` what it gives of the text.
    fn step(&mut self, output: &mut [u8]) -> Result<Option<Next>, Error> {
        self.refill()?;
        let input = &self.input[self.start..self.end];
        match &mut self.state {
            State::BeforeFile if input.is_empty() => return Err(Error::whole(ErrorKind::Empty)),
            State::BeforeFile if is_gzip(input) => self.begin_member(),
            State::BeforeFile => self.state = State::Plain,
            State::Plain | State::AfterMember if input.is_empty() => return Ok(Some(Next::End(None))),
            State::Plain => {
                let length = input.len().min(output.len());
                output[..length].copy_from_slice(&input[..length]);
                self.used(length);
                self.written += length as u64;
            }
            State::InHeader(_) | State::InTrailer(..) if input.is_empty() => return Err(self.cut()),
            State::InHeader(header) => match header.read(input) {
                Ok(None) => self.used(self.end - self.start),
                Ok(Some(length)) => {
                    self.used(length);
                    self.begin_text();
                }
                Err(wrong) => {
                    self.used(wrong);
                    return Err(self.lost(ErrorKind::GzipHeader(self.member)));
                }
            },
            State::InText => return self.text(output).map(|()| None),
            State::InTrailer(bytes, read) => {
                let wanted = if *read < 4 { 4 } else { 8 };
                let length = input.len().min(wanted - *read);
                bytes[*read..*read + length].copy_from_slice(&input[..length]);
                *read += length;
                let (read, [checksum, size]) = (*read, numbers(*bytes));
                self.used(length);
                if read == 4 && checksum != self.crc.sum() {
                    return Err(self.lost(ErrorKind::Checksum(self.member)));
                }
                if read == 8 {
                    if self.inflate.as_ref().is_none_or(|inflate| size != inflate.total_out() as u32) {
                        return Err(self.lost(ErrorKind::Length(self.member)));
                    }
                    self.state = State::AfterMember;
                }
            }
            State::AfterMember if is_gzip(input) => self.begin_member(),
            State::AfterMember => return self.trailing().map(Some),
        }
        Ok(None)
    }

    fn begin_member(&mut self) {
        self.member += 1;
        self.state = State::InHeader(Header::new());
    }

    fn begin_text(&mut self) {
        match &mut self.inflate {
            Some(inflate) => inflate.reset(false),
            None => self.inflate = Some(Decompress::new(false)),
        }
        self.crc.reset();
        self.state = State::InText;
    }

    /// Inflates what there is of a member's text.
    fn text(&mut self, output: &mut [u8]) -> Result<(), Error> {
        let input = &self.input[self.start..self.end];
        let at_end = input.is_empty();
        let inflate = self.inflate.as_mut().expect("made before the text");
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let result = inflate.decompress(input, output, FlushDecompress::None);
        let (read, written) = ((inflate.total_in() - read) as usize, (inflate.total_out() - written) as usize);
        self.crc.update(&output[..written]);
        self.used(read);
        self.written += written as u64;
        match result {
            Ok(Status::StreamEnd) => self.state = State::InTrailer([0; 8], 0),
            Ok(_) if at_end && written == 0 => return Err(self.cut()),
            Ok(_) => {}
            Err(_) => return Err(self.lost(ErrorKind::CorruptGzip(self.member))),
        }
        Ok(())
    }

    /// Passes what follows the last member and is none itself. Zeros are padding; anything else may have been a member, and where
    /// the next one would begin is not known.
    fn trailing(&mut self) -> Result<Next, Error> {
        let first = self.offset;
        let mut is_padding = true;
        while self.start < self.end {
            is_padding &= self.input[self.start..self.end].iter().all(|&byte| byte == 0);
            self.used(self.end - self.start);
            self.refill()?;
        }
        let bytes = self.offset - first;
        if is_padding {
            return Ok(Next::End(Some(Error::at(first as usize, ErrorKind::TrailingBytes(bytes)))));
        }
        Err(Error::at(first as usize, ErrorKind::NoMember { after: self.member, bytes }))
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

    fn used(&mut self, length: usize) {
        self.start += length;
        self.offset += length as u64;
    }

    fn lost(&self, kind: ErrorKind) -> Error {
        Error::at(self.offset as usize, kind)
    }

    /// The file ends inside a member.
    fn cut(&self) -> Error {
        self.lost(ErrorKind::TruncatedGzip(self.member))
    }
}

/// Two numbers in the byte order of gzip.
fn numbers(bytes: [u8; 8]) -> [u32; 2] {
    let both = u64::from_le_bytes(bytes);
    [both as u32, (both >> 32) as u32]
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
