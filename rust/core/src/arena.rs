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

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with zeros behind it, as a cursor wants it.
    fn is_padded(arena: &Arena) -> bool {
        let padded = arena.padded(0);
        padded.len() == arena.len() + PADDING && padded[arena.len()..].iter().all(|&byte| byte == 0)
    }

    fn append(arena: &mut Arena, text: &[u8]) {
        arena.append(|memory| memory.extend_from_slice(text));
    }

    #[test]
    fn an_empty_arena_has_no_text_but_its_padding() {
        let arena = Arena::new(0);
        assert_eq!((arena.len(), arena.room()), (0, 0));
        assert!(is_padded(&arena));
    }

    #[test]
    fn text_is_appended_behind_text_and_stays_where_it_is() {
        let mut arena = Arena::new(10);
        let place = arena.text(0).as_ptr();
        append(&mut arena, b"abc");
        append(&mut arena, b"defghij");
        assert_eq!(arena.text(2), b"cdefghij");
        assert_eq!((arena.len(), arena.room()), (10, 0));
        assert_eq!(arena.text(0).as_ptr(), place);
        assert!(is_padded(&arena));
    }

    #[test]
    fn truncated_text_is_forgotten_and_its_room_is_free_again() {
        let mut arena = Arena::new(10);
        append(&mut arena, b"abcdefghij");
        arena.truncate(4);
        assert_eq!((arena.text(1), arena.room()), (&b"bcd"[..], 6));
        assert!(is_padded(&arena));
        append(&mut arena, b"EF");
        assert_eq!(arena.text(0), b"abcdEF");
    }

    #[test]
    fn a_writer_may_take_back_what_it_wrote() {
        let mut arena = Arena::new(10);
        append(&mut arena, b"abc");
        let written = arena.append(|memory| {
            memory.extend_from_slice(b"defg");
            memory.truncate(3);
            4
        });
        assert_eq!((arena.text(0), written), (&b"abc"[..], 4));
        assert!(is_padded(&arena));
    }

    #[test]
    fn arrow_gets_the_text_without_the_padding_and_without_a_copy() {
        let mut arena = Arena::new(10);
        append(&mut arena, b"abc");
        let place = arena.text(0).as_ptr();
        let buffer = arena.into_buffer();
        assert_eq!((buffer.as_slice(), buffer.as_ptr()), (&b"abc"[..], place));
    }
}
