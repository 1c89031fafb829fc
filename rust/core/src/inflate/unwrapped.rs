//! The text of a file without its layers: gzip, gzip within gzip, UTF-16.
//!
//! A delivery stream with compression adds its own gzip to that of CloudWatch Logs, and a shell may write UTF-16. The
//! first two bytes of each layer identify it; no JSON begins with any of them.

use std::io::{self, Read};

use super::header::MAGIC;
use super::limits::{Limits, RATIO_FROM};
use super::stream::{Next, Stream, fill};
use super::utf16::Utf16;
use crate::arena::Arena;
use crate::error::{Error, ErrorKind};

/// Whether inflated text has another layer: gzip or UTF-16.
pub(super) fn is_wrapped(text: &[u8]) -> bool {
    text.starts_with(&MAGIC) || Utf16::begins(text).is_some()
}

/// Reads the text of a file of any size in bounded memory: [`Stream`] for each of up to two layers of gzip, then
/// [`Utf16`].
pub(crate) struct Unwrapped<R> {
    layers: Layers<R>,
    utf16: Option<Utf16>,
    limits: Limits,
}

enum Layers<R> {
    One(Box<Inflated<R>>),
    Two(Box<Inflated<Inflated<R>>>),
}

impl<R: Read> Unwrapped<R> {
    /// Looks at the first bytes of each layer.
    pub(crate) fn new(file: R, limits: Limits) -> Self {
        let outer = Inflated::new(Stream::new(file, limits));
        let mut layers = if outer.head() == MAGIC {
            Layers::Two(Box::new(Inflated::new(Stream::new(outer, limits))))
        } else {
            Layers::One(Box::new(outer))
        };
        let utf16 = Utf16::begins(layers.head());
        if utf16.is_some() {
            layers.pass_head();
        }
        Self { layers, utf16, limits }
    }

    /// Whether the text has more layers than one of gzip.
    pub(crate) fn is_wrapped(&self) -> bool {
        matches!(self.layers, Layers::Two(_)) || self.is_decoded()
    }

    /// Whether the text was decoded from UTF-16, so that its bytes are not those of the file.
    pub(crate) fn is_decoded(&self) -> bool {
        self.utf16.is_some()
    }

    /// Bytes of the file that were used.
    pub(crate) fn offset(&self) -> u64 {
        match &self.layers {
            Layers::One(only) => only.stream.offset(),
            Layers::Two(inner) => inner.stream.file.stream.offset(),
        }
    }

    /// Gzip members of the file so far; none in an uncompressed one.
    pub(crate) fn members(&self) -> u32 {
        match &self.layers {
            Layers::One(only) => only.stream.members(),
            Layers::Two(inner) => inner.stream.file.stream.members(),
        }
    }

    /// Appends text until the arena is full or the text ends.
    pub(crate) fn fill(&mut self, arena: &mut Arena) -> Next {
        if self.layers.head() == MAGIC {
            return Next::Damaged(Error::whole(ErrorKind::NestedGzip));
        }
        fill(arena, |output| self.write(output))
    }

    fn write(&mut self, output: &mut [u8]) -> (usize, Option<Next>) {
        let Self { layers, utf16, limits } = self;
        let (written, wrong) = match utf16 {
            None => (layers.read(output), None),
            Some(utf16) => utf16.decode(output, |units| layers.read(units)),
        };
        if let Some(error) = layers.beyond(*limits) {
            return (written, Some(Next::Damaged(error)));
        }
        if written == output.len() {
            return (written, None);
        }
        // If the file itself is damaged, that is why a character is cut.
        let end = match (layers.end(), wrong) {
            (Next::End(_), Some(error)) => Next::Damaged(error),
            (end, _) => end,
        };
        (written, Some(end))
    }
}

impl<R: Read> Layers<R> {
    fn head(&self) -> &[u8] {
        match self {
            Self::One(only) => only.head(),
            Self::Two(inner) => inner.head(),
        }
    }

    fn pass_head(&mut self) {
        match self {
            Self::One(only) => only.passed = only.head.len(),
            Self::Two(inner) => inner.passed = inner.head.len(),
        }
    }

    fn read(&mut self, output: &mut [u8]) -> usize {
        match self {
            Self::One(only) => only.fill(output),
            Self::Two(inner) => inner.fill(output),
        }
    }

    /// Both layers together may inflate only as far as a single one.
    fn beyond(&self, limits: Limits) -> Option<Error> {
        let Self::Two(inner) = self else { return None };
        let (text, stored) = (inner.stream.written, inner.stream.file.stream.offset());
        let is_beyond = text > RATIO_FROM && text > stored.saturating_mul(limits.ratio);
        is_beyond.then(|| Error::whole(ErrorKind::Ratio(limits.ratio)))
    }

    /// Why the text has ended.
    fn end(&mut self) -> Next {
        match self {
            Self::One(only) => only.end(),
            Self::Two(inner) => {
                let end = inner.end();
                let outer = inner.stream.file.end.take();
                match (end, outer) {
                    // The inner layer is cut because the outer one is damaged.
                    (Next::Damaged(error), Some(Next::Damaged(outer))) if error.is_cut() => Next::Damaged(outer),
                    (Next::Damaged(error), _) => Next::Damaged(error.within_gzip()),
                    (_, Some(Next::Damaged(outer))) => Next::Damaged(outer),
                    (Next::End(Some(warning)), _) => Next::End(Some(warning.within_gzip())),
                    (_, Some(Next::End(warning))) => Next::End(warning),
                    (end, _) => end,
                }
            }
        }
    }
}

/// A stream as a reader: it ends with the text, and keeps the reason.
struct Inflated<R> {
    stream: Stream<R>,
    /// The first bytes, by which the layer is identified.
    head: Vec<u8>,
    /// How many of the first bytes were read from here.
    passed: usize,
    end: Option<Next>,
}

impl<R: Read> Inflated<R> {
    fn new(mut stream: Stream<R>) -> Self {
        let mut head = vec![0; MAGIC.len()];
        let (length, end) = stream.write(&mut head);
        head.truncate(length);
        Self { stream, head, passed: 0, end }
    }

    fn head(&self) -> &[u8] {
        &self.head
    }

    /// Fills the output, unless the text ends.
    fn fill(&mut self, output: &mut [u8]) -> usize {
        let ahead = &self.head[self.passed..];
        let length = ahead.len().min(output.len());
        output[..length].copy_from_slice(&ahead[..length]);
        self.passed += length;
        if self.end.is_some() {
            return length;
        }
        let (written, end) = self.stream.write(&mut output[length..]);
        self.end = end;
        length + written
    }

    fn end(&mut self) -> Next {
        self.end.take().unwrap_or(Next::End(None))
    }
}

impl<R: Read> Read for Inflated<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        Ok(self.fill(output))
    }
}

#[cfg(test)]
mod tests;
