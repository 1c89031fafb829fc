//! How a file becomes text: at once by libdeflate, or as a stream.

use std::io::Read;

use super::header::{has_checksum, is_gzip};
use super::limits::Limits;
use super::stream::Stream;
use super::unwrapped::{Unwrapped, is_wrapped};
use crate::arena::Arena;
use crate::bounds::{ARENA, INFLATED_WHOLE, INFLATED_WHOLE_RATIO};
use crate::json::PADDING;
use crate::unchecked::deflate::{Decompressor, Member};

/// Reads files, within limits. The only place that decides which files are inflated at once.
pub(crate) struct Reader {
    inflater: Inflater,
    limits: Limits,
}

impl Reader {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { inflater: Inflater::new(), limits }
    }

    /// Bytes of text to make room for before [`Self::whole`]: the inflated size that the file states. `None` for a file
    /// that must be streamed: it is not gzip, or its text is too large.
    pub(crate) fn room(&self, stored: &[u8]) -> Option<usize> {
        let length = length_hint(stored);
        let is_ordinary =
            length <= ARENA || length <= INFLATED_WHOLE && length <= stored.len().saturating_mul(INFLATED_WHOLE_RATIO);
        (is_gzip(stored) && is_ordinary && self.allows(stored, length)).then_some(length)
    }

    /// Appends the text of a valid gzip file, and returns the number of its members; `None`, with the arena unchanged,
    /// for any other file, for text with another layer, and if the room is too small. Those are streamed.
    pub(crate) fn whole(&mut self, stored: &[u8], arena: &mut Arena) -> Option<u32> {
        let start = arena.len();
        let members = self.inflater.whole(stored, arena)?;
        let text = arena.text(start);
        // The stated length may be that of the last member alone.
        if self.allows(stored, text.len()) && !is_wrapped(text) {
            return Some(members);
        }
        arena.truncate(start);
        None
    }

    fn allows(&self, stored: &[u8], inflated: usize) -> bool {
        inflated as u64 <= self.limits.most(stored.len() as u64)
    }

    /// The text of a file of any size, with all layers removed.
    pub(crate) fn stream<R: Read>(&self, file: R) -> Unwrapped<R> {
        Unwrapped::new(file, self.limits)
    }

    /// The text of the outer layer of gzip alone, which is what CloudTrail signs.
    pub(crate) fn layer<R: Read>(&self, file: R) -> Stream<R> {
        Stream::new(file, self.limits)
    }
}

/// Inflates whole files, one call each.
pub(crate) struct Inflater {
    decompressor: Decompressor,
}

impl Inflater {
    pub(crate) fn new() -> Self {
        Self { decompressor: Decompressor::new() }
    }

    /// Appends the text of a valid gzip file of any number of members and nothing else, and returns that number;
    /// `None`, with the arena unchanged, for any other file, and if the room is too small. [`Stream`] reads those.
    pub(crate) fn whole(&mut self, mut file: &[u8], arena: &mut Arena) -> Option<u32> {
        let start = arena.len();
        let mut members = 0;
        arena.append(|text| {
            while is_gzip(file) && !has_checksum(file) {
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

/// The length that the last member of a gzip file states, modulo 2³²: a hint.
fn length_hint(file: &[u8]) -> usize {
    file.last_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize)
}
