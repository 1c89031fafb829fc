//! The builders of single columns. A builder receives only values that exist; rows in between become null.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, StringViewArray, TimestampMicrosecondArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

use crate::json::{Cursor, Value, unescape};
use crate::unchecked::view::{Buffers, Texts, View, string_array};

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

    /// Returns the null buffer of an array of `rows`, and starts a new one.
    pub(super) fn finish(&mut self, rows: usize) -> Option<NullBuffer> {
        Some(NullBuffer::new(self.bits(rows))).filter(|nulls| nulls.null_count() > 0)
    }

    fn bits(&mut self, rows: usize) -> BooleanBuffer {
        let mut words = std::mem::take(&mut self.0);
        words.resize(rows.div_ceil(64), 0);
        BooleanBuffer::new(Buffer::from_vec(words), 0, rows)
    }
}

/// Rows by which cells grow: a multiple of 64.
const STEP: usize = 64;

/// Cells of a fixed width.
#[derive(Default)]
struct Cells<T> {
    /// Its length is a multiple of 64.
    values: Vec<T>,
    /// One bit for each of `values`.
    valid: Vec<u64>,
    /// The rows of the last batch: the next one will have about as many.
    rows: usize,
}

impl<T: Copy + Default> Cells<T> {
    #[inline(always)]
    fn set(&mut self, row: usize, cell: T) {
        match (self.values.get_mut(row), self.valid.get_mut(row / 64)) {
            (Some(value), Some(valid)) => {
                *value = cell;
                *valid |= 1 << (row % 64);
            }
            _ => self.grow(row, cell),
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, row: usize, cell: T) {
        // Zeroed in small steps, just before they are written to: what is zeroed at once has left the cache by then.
        let length = self.values.len();
        let rows = (row + 1).next_multiple_of(STEP);
        if rows > self.values.capacity() {
            self.values.reserve_exact(rows.max(self.rows).max(2 * length) - length);
        }
        self.values.resize(rows, T::default());
        self.valid.resize(rows / 64, 0);
        self.set(row, cell);
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
    views: Cells<View>,
}

/// The text of a JSON value: decoded for a string, else its bytes. Also tells whether it is a string whose text is
/// exact, which is not the case with a lone surrogate.
#[inline(always)]
pub(super) fn text(texts: &mut Texts, cursor: &Cursor<'_>, value: Value, base: Option<usize>) -> (View, bool) {
    let (start, end) = (value.start as usize, value.end as usize);
    if cursor.bytes()[start] != b'"' {
        return (texts.view(cursor.bytes(), start, end, base), false);
    }
    if cursor.is_escaped(value) {
        let (view, replaced) = texts.append(|text| unescape(&cursor.bytes()[start + 1..end - 1], text));
        return (view, !replaced);
    }
    (texts.view(cursor.bytes(), start + 1, end - 1, base), true)
}

impl TextBuilder {
    #[inline(always)]
    pub(super) fn set(&mut self, row: usize, view: View) {
        self.views.set(row, view);
    }

    /// The array. All-null columns share one block of zeros.
    pub(super) fn finish(&mut self, rows: usize, buffers: &Buffers, zeros: &mut Zeros) -> ArrayRef {
        if self.views.is_empty() {
            return Arc::new(zeros.array(rows));
        }
        let (views, nulls) = self.views.finish(rows);
        Arc::new(string_array(views, buffers, nulls))
    }
}

/// The array of columns without a value: the beginning of one that was made, and validated, before.
pub(super) struct Zeros(StringViewArray);

impl Zeros {
    pub(super) fn new() -> Self {
        Self(StringViewArray::new_null(0))
    }

    fn array(&mut self, rows: usize) -> StringViewArray {
        if self.0.len() < rows {
            self.0 = StringViewArray::new_null(rows.next_power_of_two());
        }
        self.0.slice(0, rows)
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
