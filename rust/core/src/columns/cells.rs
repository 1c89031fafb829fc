//! The builders of single columns. A builder is told only of values that are there: what lies between becomes null.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, StringViewArray, TimestampMicrosecondArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};

use crate::json::{Cursor, Value, unescape};
use crate::unchecked::view::string_array;

/// Which rows have a value.
#[derive(Default)]
pub(super) struct Validity(Vec<u64>);

impl Validity {
    #[inline]
    pub(super) fn set(&mut self, row: usize) {
        if row / 64 >= self.0.len() {
            self.0.resize((row / 64 + 1).max(2 * self.0.len()), 0);
        }
        self.0[row / 64] |= 1 << (row % 64);
    }

    /// The null buffer of an array of `rows`, and a fresh start.
    pub(super) fn finish(&mut self, rows: usize) -> Option<NullBuffer> {
        Some(NullBuffer::new(self.bits(rows))).filter(|nulls| nulls.null_count() > 0)
    }

    fn bits(&mut self, rows: usize) -> BooleanBuffer {
        let mut words = std::mem::take(&mut self.0);
        words.resize(rows.div_ceil(64), 0);
        BooleanBuffer::new(Buffer::from_vec(words), 0, rows)
    }
}

/// Cells of a fixed width.
#[derive(Default)]
struct Cells<T> {
    /// A multiple of 64.
    values: Vec<T>,
    /// One bit for each of `values`.
    valid: Vec<u64>,
    /// How many rows the last batch had: the next one will have about as many.
    rows: usize,
}

impl<T: Copy + Default> Cells<T> {
    #[inline(always)]
    fn set(&mut self, row: usize, cell: T) {
        if row >= self.values.len() {
            self.grow(row);
        }
        self.values[row] = cell;
        self.valid[row / 64] |= 1 << (row % 64);
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, row: usize) {
        let rows = (row + 1).max(self.rows).max(2 * self.values.len()).next_multiple_of(64);
        self.values.resize(rows, T::default());
        self.valid.resize(rows / 64, 0);
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn finish(&mut self, rows: usize) -> (Vec<T>, Option<NullBuffer>) {
        let mut values = std::mem::take(&mut self.values);
        values.resize(rows, T::default());
        self.rows = rows + rows / 16;
        (values, Validity(std::mem::take(&mut self.valid)).finish(rows))
    }
}

/// A column of text, as views into the arena and into the text that was decoded or copied.
#[derive(Default)]
pub(super) struct TextBuilder {
    views: Cells<u128>,
}

/// The buffers that the views of one batch point into.
pub(super) struct Texts {
    /// Whether views may point into the arena; else all text is copied.
    pub(super) borrow: bool,
    pub(super) copied: Vec<u8>,
}

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

impl Texts {
    /// A view of `window[start..end]`, whose first byte stands at `base` in the arena if it is in the arena at all. Sixteen
    /// bytes behind `start` must be readable.
    #[inline(always)]
    pub(super) fn view(&mut self, window: &[u8], start: usize, end: usize, base: Option<u32>) -> u128 {
        let length = end - start;
        let head = window[start..].first_chunk().map_or(0, |head| u128::from_le_bytes(*head));
        let inline = (head & INLINE_BITS[length.min(INLINE)]) << 32 | length as u128;
        let (buffer, offset) = match base {
            Some(base) if self.borrow => (ARENA, base + start as u32),
            _ if length <= INLINE => return inline,
            _ => {
                let offset = self.copied.len() as u32;
                self.copied.extend_from_slice(&window[start..end]);
                (self.copies(), offset)
            }
        };
        let reference = length as u128 | (head & 0xffff_ffff) << 32 | buffer << 64 | u128::from(offset) << 96;
        // Which of the two it is depends on the data alone; a branch would often be predicted wrong.
        let choice = u128::from(length <= INLINE).wrapping_neg();
        inline & choice | reference & !choice
    }

    /// A view of what was appended to `copied` from `start` on; short text is taken off again.
    pub(super) fn view_of_copied(&mut self, start: usize) -> u128 {
        let text = &self.copied[start..];
        let length = text.len();
        let mut head = [0; 16];
        let head_length = length.min(if length <= INLINE { INLINE } else { 4 });
        head[..head_length].copy_from_slice(&text[..head_length]);
        let head = u128::from_le_bytes(head) << 32 | length as u128;
        if length <= INLINE {
            self.copied.truncate(start);
            return head;
        }
        head | self.copies() << 64 | (start as u128) << 96
    }

    /// Number of the buffer of copies.
    fn copies(&self) -> u128 {
        u128::from(self.borrow)
    }

    /// The text of a JSON value: of a string what it stands for, of another value its bytes. Tells also whether it is a string
    /// whose text says what the value says, which a lone surrogate does not.
    #[inline(always)]
    pub(super) fn text(&mut self, cursor: &Cursor<'_>, value: Value, base: Option<u32>) -> (u128, bool) {
        let (start, end) = (value.start as usize, value.end as usize);
        if cursor.bytes()[start] != b'"' {
            return (self.view(cursor.bytes(), start, end, base), false);
        }
        if cursor.is_escaped(value) {
            let from = self.copied.len();
            let replaced = unescape(&cursor.bytes()[start + 1..end - 1], &mut self.copied);
            return (self.view_of_copied(from), !replaced);
        }
        (self.view(cursor.bytes(), start + 1, end - 1, base), true)
    }
}

impl TextBuilder {
    #[inline(always)]
    pub(super) fn set(&mut self, row: usize, view: u128) {
        self.views.set(row, view);
    }

    /// The array. All-null columns share one block of zeros.
    pub(super) fn finish(&mut self, rows: usize, buffers: &Arc<[Buffer]>, zeros: &mut Zeros) -> ArrayRef {
        if self.views.is_empty() {
            return Arc::new(StringViewArray::new(zeros.views(rows), [], Some(NullBuffer::new_null(rows))));
        }
        let (views, nulls) = self.views.finish(rows);
        Arc::new(string_array(views, Arc::clone(buffers), nulls))
    }
}

/// Empty views for columns without a value.
pub(super) struct Zeros(Buffer);

impl Zeros {
    pub(super) fn new() -> Self {
        Self(Buffer::from_vec(Vec::<u128>::new()))
    }

    fn views(&mut self, rows: usize) -> ScalarBuffer<u128> {
        if self.0.len() < rows * size_of::<u128>() {
            self.0 = Buffer::from_vec(vec![0u128; rows.next_power_of_two()]);
        }
        ScalarBuffer::new(self.0.clone(), 0, rows)
    }
}

/// A column of times.
#[derive(Default)]
pub(super) struct TimeBuilder {
    micros: Cells<i64>,
}

impl TimeBuilder {
    pub(super) fn set(&mut self, row: usize, micros: i64) {
        self.micros.set(row, micros);
    }

    pub(super) fn finish(&mut self, rows: usize) -> ArrayRef {
        let (micros, nulls) = self.micros.finish(rows);
        Arc::new(TimestampMicrosecondArray::new(micros.into(), nulls).with_timezone("UTC"))
    }
}

/// A column of flags.
#[derive(Default)]
pub(super) struct FlagBuilder {
    valid: Validity,
    set: Validity,
}

impl FlagBuilder {
    pub(super) fn set(&mut self, row: usize, flag: bool) {
        self.valid.set(row);
        if flag {
            self.set.set(row);
        }
    }

    pub(super) fn finish(&mut self, rows: usize) -> ArrayRef {
        Arc::new(BooleanArray::new(self.set.bits(rows), self.valid.finish(rows)))
    }
}
