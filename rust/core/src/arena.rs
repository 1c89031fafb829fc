//! Memory for inflated text: written once, then shared with Arrow without a copy.

use arrow_buffer::Buffer;

use crate::json::PADDING;

/// One block of memory, filled from the front; what is in it never moves.
pub(crate) struct Arena {
    /// The text and its padding.
    memory: Vec<u8>,
    length: usize,
    /// How far it may be filled at the moment.
    limit: usize,
}

/// The bytes after the end of a window, while zeros stand in their place.
pub(crate) struct Aside([u8; PADDING]);

impl Arena {
    /// An empty arena for `capacity` bytes of text.
    pub(crate) fn new(capacity: usize) -> Self {
        let mut memory = Vec::with_capacity(capacity + PADDING);
        memory.resize(PADDING, 0);
        Self { memory, length: 0, limit: usize::MAX }
    }

    /// Bytes of text so far.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Bytes of text that it has memory for.
    pub(crate) fn capacity(&self) -> usize {
        self.memory.capacity() - PADDING
    }

    /// Bytes of text that still fit.
    pub(crate) fn room(&self) -> usize {
        self.capacity().min(self.limit).saturating_sub(self.length)
    }

    /// Lets `fill` append to the text until that ends at `limit`.
    pub(crate) fn up_to<T>(&mut self, limit: usize, fill: impl FnOnce(&mut Self) -> T) -> T {
        self.limit = limit;
        let result = fill(self);
        self.limit = usize::MAX;
        result
    }

    /// Ensures that there is memory for this much text.
    pub(crate) fn reserve(&mut self, capacity: usize) {
        if self.capacity() < capacity {
            let mut larger = Self::new(capacity);
            larger.append(|text| text.extend_from_slice(self.text(0)));
            *self = larger;
        }
    }

    /// Lets `write` append to the text, by [`Self::room`] bytes at most.
    pub(crate) fn append<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        self.memory.truncate(self.length);
        let result = write(&mut self.memory);
        self.truncate(self.memory.len());
        result
    }

    /// Drops the text after `length` and keeps the memory.
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

    /// Ends the text at `end` temporarily: [`Self::window`] is followed by zeros until the rest is put back.
    pub(crate) fn set_aside(&mut self, end: usize) -> Aside {
        let after = &mut self.memory[end..end + PADDING];
        let mut aside = [0; PADDING];
        aside.copy_from_slice(after);
        after.fill(0);
        Aside(aside)
    }

    /// Undoes [`Self::set_aside`].
    pub(crate) fn put_back(&mut self, end: usize, Aside(aside): &Aside) {
        self.memory[end..end + PADDING].copy_from_slice(aside);
    }

    /// A part of the text, and the padding after it while the rest is aside.
    pub(crate) fn window(&self, start: usize, end: usize) -> &[u8] {
        &self.memory[start..end + PADDING]
    }

    /// Drops the text before `at`; the rest moves to the front.
    pub(crate) fn drop_front(&mut self, at: usize) {
        self.memory.copy_within(at..self.length, 0);
        self.truncate(self.length - at);
    }

    /// Shares the text before `at` with Arrow; the rest moves to the front of a new block.
    pub(crate) fn take(&mut self, at: usize) -> Buffer {
        let rest = self.text(at);
        let mut next = Self::new(if rest.is_empty() { 0 } else { self.capacity() });
        next.append(|text| text.extend_from_slice(rest));
        let mut memory = std::mem::replace(self, next).memory;
        memory.truncate(at);
        // A batch that ends early should not hold the whole block.
        if memory.len() < memory.capacity() / 2 {
            memory.shrink_to_fit();
        }
        Buffer::from_vec(memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with zeros after it, as a cursor requires.
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
    fn text_is_appended_after_text_and_stays_where_it_is() {
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
        let buffer = arena.take(3);
        assert_eq!((buffer.as_slice(), buffer.as_ptr()), (&b"abc"[..], place));
        assert_eq!((arena.len(), arena.capacity()), (0, 0));
    }

    #[test]
    fn what_is_not_taken_moves_to_the_front() {
        let mut arena = Arena::new(10);
        append(&mut arena, b"abcdefghij");
        arena.drop_front(1);
        assert_eq!((arena.text(0), arena.room()), (&b"bcdefghij"[..], 1));
        assert!(is_padded(&arena));
        assert_eq!(arena.take(2).as_slice(), b"bc");
        assert_eq!((arena.text(0), arena.room()), (&b"defghij"[..], 3));
        assert!(is_padded(&arena));
    }

    #[test]
    fn a_window_ends_in_zeros_and_leaves_the_text_as_it_was() {
        let text: Vec<u8> = (1..=200).collect();
        for end in [0, 1, 100, 199, 200] {
            let mut arena = Arena::new(200);
            append(&mut arena, &text);
            let aside = arena.set_aside(end);
            assert_eq!(arena.window(0, end), [&text[..end], &[0; PADDING]].concat());
            arena.put_back(end, &aside);
            assert_eq!(arena.text(0), text);
            assert!(is_padded(&arena));
        }
    }

    #[test]
    fn it_is_filled_as_far_as_it_may_be() {
        let mut arena = Arena::new(10);
        append(&mut arena, b"abc");
        assert_eq!(arena.up_to(5, |arena| arena.room()), 2);
        assert_eq!(arena.up_to(2, |arena| arena.room()), 0);
        assert_eq!((arena.up_to(50, |arena| arena.room()), arena.room()), (7, 7));
        arena.reserve(20);
        assert_eq!((arena.text(0), arena.room()), (&b"abc"[..], 17));
    }
}
