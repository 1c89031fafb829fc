//! gzip to text piece by piece, for large and damaged files: errors have their byte.

use std::io::{self, ErrorKind as IoErrorKind, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::header::{Header, MAGIC, is_gzip};
use super::limits::{Limits, RATIO_FROM};
use crate::arena::Arena;
use crate::error::{Error, ErrorKind};

/// How a stream continues after [`Stream::fill`].
#[derive(Debug)]
pub(crate) enum Next {
    /// The arena is full; there may be more text.
    More,
    /// The text is complete; zeros that follow the last member are reported.
    End(Option<Error>),
    /// The text is complete up to here; the rest is lost.
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

/// Inflates a file of any size in bounded memory, and reports its damage. An uncompressed file passes unchanged.
pub(crate) struct Stream<R> {
    pub(super) file: R,
    input: Box<[u8]>,
    /// The part of `input` that is not yet used.
    start: usize,
    end: usize,
    /// Bytes of the file before `start`.
    offset: u64,
    member: u32,
    state: State,
    /// Created for the first member, and reused for each later one.
    inflate: Option<Decompress>,
    /// Checksum of the member's text.
    crc: Crc,
    pub(super) written: u64,
    limits: Limits,
}

/// Appends what `write` produces until the arena is full or the text ends.
pub(super) fn fill(arena: &mut Arena, mut write: impl FnMut(&mut [u8]) -> (usize, Option<Next>)) -> Next {
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
/// Text that is written at once: memory is zeroed in pieces of this size.
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

    /// Gzip members so far; none in an uncompressed file.
    pub(crate) fn members(&self) -> u32 {
        self.member
    }

    /// Appends text until the arena is full or the text ends.
    pub(crate) fn fill(&mut self, arena: &mut Arena) -> Next {
        fill(arena, |output| self.write(output))
    }

    /// Writes text, across as many members as there are, until the output is full or the text ends.
    pub(super) fn write(&mut self, output: &mut [u8]) -> (usize, Option<Next>) {
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

    /// Takes the next part of the file, and adds the bytes of text from it to `written`.
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

    /// Inflates the member's text as far as there is input and room.
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

    /// Passes the bytes after the last member. Zeros are padding; anything else may be a damaged member, after which
    /// the start of the next one is unknown.
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

/// Why a file cannot be read: the reader's own error, or the message of the operating system.
fn reason(error: io::Error) -> ErrorKind {
    match error.downcast::<Error>() {
        Ok(error) => error.kind().clone(),
        Err(error) => ErrorKind::Unreadable(error.to_string()),
    }
}
