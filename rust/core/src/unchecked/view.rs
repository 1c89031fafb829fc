//! String views: how they are made, and how they become an array without a second validation.
//!
//! A [`View`] can be made only here, by [`Texts`]; each lies in one of the two buffers that [`Texts::finish`] gives, because
//! - the arena's end is compared there with the furthest place that any view has reached, and
//! - what was copied is only ever appended to: no view points after its end,
//!
//! and both buffers are compared with what an offset of 32 bits can reach.

use std::sync::Arc;

use arrow_array::StringViewArray;
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};

/// What a buffer may hold: lengths and offsets of Arrow's views are signed numbers of 32 bits.
const MOST: usize = i32::MAX as usize;

/// Number of the arena among the buffers, where views may point into it.
const ARENA: u128 = 0;
/// Views of up to this many bytes hold them.
const INLINE: usize = 12;
/// The bits of the first bytes, by their number.
static INLINE_BITS: [u128; INLINE + 1] = {
    let mut bits = [0; INLINE + 1];
    let mut length = 1;
    while length <= INLINE {
        bits[length] = bits[length - 1] << 8 | 0xff;
        length += 1;
    }
    bits
};

/// One text of a batch, as Arrow has it. The default is the empty text.
#[derive(Clone, Copy, Default)]
pub(crate) struct View(u128);

/// The texts of the batch that is being built. They are UTF-8: windows are validated before records are read from them, values are cut
/// out of them at ASCII bytes, and what is appended is decoded from such values.
pub(crate) struct Texts {
    /// Whether views may point into the arena; else all text is copied.
    borrow: bool,
    copied: Vec<u8>,
    /// How far into the arena views reach.
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

    /// A view of `window[start..end]`, whose first byte stands at `base` in the arena if it is in the arena at all. Sixteen
    /// bytes after `start` must be readable.
    #[inline(always)]
    pub(crate) fn view(&mut self, window: &[u8], start: usize, end: usize, base: Option<usize>) -> View {
        let text = &window[start..end];
        let length = text.len();
        let head = window[start..].first_chunk().map_or(0, |head| u128::from_le_bytes(*head));
        let inline = (head & INLINE_BITS[length.min(INLINE)]) << 32 | length as u128;
        // Offsets that would not fit fail in `finish`, by the end that is noted here.
        let (buffer, offset) = match base {
            Some(base) if self.borrow => {
                self.reached = self.reached.max(base + end);
                (ARENA, base + start)
            }
            _ if length <= INLINE => return View(inline),
            _ => {
                let offset = self.copied.len();
                self.copied.extend_from_slice(text);
                (self.copies(), offset)
            }
        };
        let reference = length as u128 | (head & 0xffff_ffff) << 32 | buffer << 64 | (offset as u128) << 96;
        // Which of the two it is depends on the data alone; a branch would often be predicted wrong.
        let choice = u128::from(length <= INLINE).wrapping_neg();
        View(inline & choice | reference & !choice)
    }

    /// A view of what `write` appends; short text is taken off again.
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
        (View(head | self.copies() << 64 | (start as u128) << 96), result)
    }

    /// Number of the buffer of copies.
    fn copies(&self) -> u128 {
        u128::from(self.borrow)
    }

    /// The buffers of all views so far, and a fresh start; `arena` where they may point into it.
    ///
    /// # Panics
    ///
    /// When a view does not lie in them. [`crate::bounds`] keeps far away from that: a batch is cut after 8 MiB, and a record is small.
    pub(crate) fn finish(&mut self, arena: Option<Buffer>) -> Buffers {
        let copied = std::mem::take(&mut self.copied);
        let reached = std::mem::take(&mut self.reached);
        let in_arena = arena.as_ref().map_or(0, Buffer::len);
        assert!(self.borrow == arena.is_some() && reached <= in_arena, "views reach {reached} of {in_arena} bytes");
        assert!(in_arena.max(copied.len()) <= self.most, "a batch has more text than views reach");
        Buffers(arena.into_iter().chain([Buffer::from_vec(copied)]).collect())
    }
}

/// The array of these views, which were made by the [`Texts`] that gave the buffers, since it last gave some.
///
/// `columns::Builders`, the only caller, has one [`Texts`] and empties all of its columns when that is finished. Builds with debug
/// assertions check each view and each text again.
pub(crate) fn string_array(views: Vec<View>, Buffers(buffers): &Buffers, nulls: Option<NullBuffer>) -> StringViewArray {
    assert!(nulls.as_ref().is_none_or(|nulls| nulls.len() == views.len()), "as many flags as views");
    // In place: a view is its number.
    let views: ScalarBuffer<u128> = views.into_iter().map(|View(view)| view).collect::<Vec<_>>().into();
    debug_assert_eq!(
        StringViewArray::try_new(views.clone(), Arc::clone(buffers), nulls.clone()).err().map(|e| e.to_string()),
        None
    );
    // SAFETY: `Texts` alone makes views: longer ones lie in their buffer, as `Texts::finish` has made sure, and repeat their first four
    // bytes; shorter ones are padded with zeros. Their texts are UTF-8 by what `Texts` asks of its callers, of which the twin `try_new`
    // reminds them in every test.
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
