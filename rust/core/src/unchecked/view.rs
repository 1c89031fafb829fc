//! String views: how they are made, and how they become an array without a second validation.
//!
//! A [`View`] can be made only here, by [`Texts`]; each lies in one of the two buffers that [`Texts::finish`] returns,
//! because
//! - the arena's end is compared there with the furthest end of any view, and
//! - the buffer of copies only grows: no view points past its end,
//!
//! and both buffers are checked to be within reach of a 32-bit offset.

use std::sync::Arc;

use arrow_array::StringViewArray;
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};

/// The most bytes in a buffer: lengths and offsets of Arrow's views are signed 32-bit numbers.
const MOST: usize = i32::MAX as usize;

/// Index of the arena among the buffers, if views may point into it.
const ARENA: u64 = 0;
/// Strings of up to this many bytes are stored in the view itself.
const INLINE: usize = 12;
/// Masks for the first 0 to 12 bytes of a string: for the four that follow the length in a view, and for the rest.
static INLINE_BITS: [(u32, u64); INLINE + 1] = {
    let mut bits = [(0, 0); INLINE + 1];
    let mut length = 1;
    while length <= INLINE {
        let (first, rest) = bits[length - 1];
        bits[length] = if length <= 4 { (first << 8 | 0xff, 0) } else { (first, rest << 8 | 0xff) };
        length += 1;
    }
    bits
};

/// One string of a batch, as Arrow stores it. The default is the empty string.
#[derive(Clone, Copy, Default)]
pub(crate) struct View(u128);

impl View {
    #[inline(always)]
    fn of(low: u64, high: u64) -> Self {
        Self(u128::from(low) | u128::from(high) << 64)
    }
}

/// The strings of the batch that is being built. They are UTF-8: windows are validated before records are read from
/// them, values are cut out of windows at ASCII bytes, and what is appended is decoded from such values.
pub(crate) struct Texts {
    /// Whether views may point into the arena; else all text is copied.
    borrow: bool,
    copied: Vec<u8>,
    /// The furthest end of a view in the arena.
    reached: usize,
    most: usize,
}

/// The buffers that the views of one batch point into.
pub(crate) struct Buffers(Arc<[Buffer]>);

impl Texts {
    pub(crate) fn new(borrow: bool) -> Self {
        Self::of_at_most(borrow, MOST)
    }

    fn of_at_most(borrow: bool, most: usize) -> Self {
        Self { borrow, copied: Vec::new(), reached: 0, most }
    }

    /// Whether views may point into the arena.
    #[inline]
    pub(crate) fn borrow(&self) -> bool {
        self.borrow
    }

    /// Bytes that were copied or decoded.
    #[inline]
    pub(crate) fn copied(&self) -> usize {
        self.copied.len()
    }

    /// A view of `window[start..end]`, whose first byte stands at `base` in the arena if it is in the arena at all.
    /// Sixteen bytes after `start` must be readable.
    #[inline(always)]
    pub(crate) fn view(&mut self, window: &[u8], start: usize, end: usize, base: Option<usize>) -> View {
        let text = &window[start..end];
        let length = text.len();
        let head: &[u8; 16] = window[start..].first_chunk().expect("a window has padding");
        let first = u32::from_le_bytes(std::array::from_fn(|byte| head[byte]));
        let rest = u64::from_le_bytes(std::array::from_fn(|byte| head[4 + byte]));
        let (first_bits, rest_bits) = INLINE_BITS[length.min(INLINE)];
        let low = length as u64 | u64::from(first & first_bits) << 32;
        let inline = rest & rest_bits;
        // Offsets that do not fit make `finish` fail, by the end that is noted here.
        let (buffer, offset) = match base {
            Some(base) if self.borrow => {
                self.reached = self.reached.max(base + end);
                (ARENA, base + start)
            }
            _ if length <= INLINE => return View::of(low, inline),
            _ => {
                let offset = self.copied.len();
                self.copied.extend_from_slice(text);
                (self.copies(), offset)
            }
        };
        let reference = buffer | (offset as u64) << 32;
        // Which of the two it is depends on the data alone; a branch would often be mispredicted.
        View::of(low, if length <= INLINE { inline } else { reference })
    }

    /// A view of what `write` appends; a short string is removed from the buffer again, since the view holds it.
    pub(crate) fn append<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> (View, T) {
        let start = self.copied.len();
        let result = write(&mut self.copied);
        let text = &self.copied[start..];
        let length = text.len();
        let mut head = [0; 16];
        let head_length = length.min(if length <= INLINE { INLINE } else { 4 });
        head[..head_length].copy_from_slice(&text[..head_length]);
        let head = u128::from_le_bytes(head) << 32 | length as u128;
        if length <= INLINE {
            self.copied.truncate(start);
            return (View(head), result);
        }
        (View(head | u128::from(self.copies()) << 64 | (start as u128) << 96), result)
    }

    /// Index of the buffer of copies.
    fn copies(&self) -> u64 {
        u64::from(self.borrow)
    }

    /// Returns the buffers of all views so far, and starts anew; `arena` is given if they may point into it.
    ///
    /// # Panics
    ///
    /// If a view does not lie in them. [`crate::bounds`] stays far below that: a batch is cut after 8 MiB, and a record
    /// is small.
    pub(crate) fn finish(&mut self, arena: Option<Buffer>) -> Buffers {
        let copied = std::mem::take(&mut self.copied);
        let reached = std::mem::take(&mut self.reached);
        let in_arena = arena.as_ref().map_or(0, Buffer::len);
        assert!(self.borrow == arena.is_some() && reached <= in_arena, "views reach {reached} of {in_arena} bytes");
        assert!(in_arena.max(copied.len()) <= self.most, "a batch has more text than views reach");
        Buffers(arena.into_iter().chain([Buffer::from_vec(copied)]).collect())
    }
}

/// The array of these views. The [`Texts`] that returned the buffers must have made them, after it last returned any.
///
/// `columns::Builders`, the only caller, has one [`Texts`] and empties all of its columns when that is finished. Builds
/// with debug assertions check each view and each string again.
pub(crate) fn string_array(views: Vec<View>, Buffers(buffers): &Buffers, nulls: Option<NullBuffer>) -> StringViewArray {
    assert!(nulls.as_ref().is_none_or(|nulls| nulls.len() == views.len()), "as many flags as views");
    // Collected in place: a view is a `u128`.
    let views: ScalarBuffer<u128> = views.into_iter().map(|View(view)| view).collect::<Vec<_>>().into();
    debug_assert_eq!(
        StringViewArray::try_new(views.clone(), Arc::clone(buffers), nulls.clone()).err().map(|e| e.to_string()),
        None
    );
    // SAFETY: `Texts` alone makes views: longer ones lie in their buffer, as `Texts::finish` has made sure, and repeat
    // their first four bytes; shorter ones are padded with zeros. Their strings are UTF-8, as `Texts` requires of its
    // callers; the twin `try_new` checks that in every test.
    unsafe { StringViewArray::new_unchecked(views, Arc::clone(buffers), nulls) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "a text of more than twelve bytes";

    fn copy(texts: &mut Texts, text: &str) -> View {
        texts.append(|copied| copied.extend_from_slice(text.as_bytes())).0
    }

    fn arena(text: &str) -> Buffer {
        Buffer::from_vec(text.as_bytes().to_vec())
    }

    #[test]
    fn text_may_fill_a_buffer_to_its_last_byte() {
        for borrow in [false, true] {
            let mut texts = Texts::of_at_most(borrow, 2 * LONG.len());
            let views = vec![copy(&mut texts, LONG), copy(&mut texts, "short"), copy(&mut texts, LONG)];
            let buffers = texts.finish(borrow.then(|| arena("")));
            let array = string_array(views, &buffers, None);
            assert_eq!(array.iter().collect::<Vec<_>>(), [Some(LONG), Some("short"), Some(LONG)]);
            assert_eq!(texts.copied(), 0);
        }
    }

    #[test]
    #[should_panic(expected = "more text than views reach")]
    fn one_byte_more_makes_no_array() {
        let mut texts = Texts::of_at_most(false, 2 * LONG.len() - 1);
        let _ = (copy(&mut texts, LONG), copy(&mut texts, LONG));
        texts.finish(None);
    }

    #[test]
    fn a_view_may_end_where_the_arena_ends() {
        let mut texts = Texts::of_at_most(true, LONG.len());
        let view = texts.view(&LONG.as_bytes()[2..], 3, LONG.len() - 2, Some(2));
        let array = string_array(vec![view], &texts.finish(Some(arena(LONG))), None);
        assert_eq!(array.value(0), &LONG[5..]);
    }

    #[test]
    #[should_panic(expected = "views reach 32 of 31 bytes")]
    fn a_view_that_ends_after_the_arena_makes_no_array() {
        let mut texts = Texts::new(true);
        let _ = texts.view(LONG.as_bytes(), 0, LONG.len(), Some(0));
        texts.finish(Some(arena(&LONG[1..])));
    }

    #[test]
    #[should_panic(expected = "views reach 4294967328 of 32 bytes")]
    fn an_offset_that_wraps_makes_no_array() {
        let mut texts = Texts::new(true);
        let _ = texts.view(LONG.as_bytes(), 0, LONG.len(), Some(1 << 32));
        texts.finish(Some(arena(LONG)));
    }

    #[test]
    #[should_panic(expected = "more text than views reach")]
    fn an_arena_that_views_cannot_reach_makes_no_array() {
        Texts::of_at_most(true, LONG.len() - 1).finish(Some(arena(LONG)));
    }
}
