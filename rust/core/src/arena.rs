//! Memory that inflated text lives in: written once, then shared with Arrow without a copy.

use arrow_buffer::Buffer;

use crate::json::PADDING;

/// One block of memory, filled from the front; what is in it never moves.
pub(crate) struct Arena {
    /// The text and its padding.
    memory: Vec<u8>,
    length: usize,
}

impl Arena {
    /// An empty arena for `capacity` bytes of text.
    pub(crate) fn new(capacity: usize) -> Self {
        let mut memory = Vec::with_capacity(capacity + PADDING);
        memory.resize(PADDING, 0);
        Self { memory, length: 0 }
    }

    /// Bytes of text so far.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Bytes of text that still fit.
    pub(crate) fn room(&self) -> usize {
        self.memory.capacity() - PADDING - self.length
    }

    /// Lets `write` append to the text, by [`Self::room`] bytes at most.
    pub(crate) fn append<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        self.memory.truncate(self.length);
        let result = write(&mut self.memory);
        self.truncate(self.memory.len());
        result
    }

    /// Forgets the text behind `length`, keeps the memory.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.memory.truncate(length);
        self.length = length;
        self.memory.resize(length + PADDING, 0);
    }

    /// The text from `start`.
    pub(crate) fn text(&self, start: usize) -> &[u8] {
        &self.memory[start..self.length]
    }

    /// The text from `start`, and its padding.
    pub(crate) fn padded(&self, start: usize) -> &[u8] {
        &self.memory[start..self.length + PADDING]
    }

    /// Shares the text with Arrow.
    pub(crate) fn into_buffer(mut self) -> Buffer {
        self.memory.truncate(self.length);
        Buffer::from_vec(self.memory)
    }
}
