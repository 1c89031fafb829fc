//! The builders of single columns. A builder is told only of values that are there: what lies between becomes null.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, StringViewArray, TimestampMicrosecondArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};

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
    views: Cells<View>,
}

/// The text of a JSON value: of a string what it stands for, of another value its bytes. Tells also whether it is a string
/// whose text says what the value says, which a lone surrogate does not.
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
            return Arc::new(StringViewArray::new(zeros.views(rows), [], Some(NullBuffer::new_null(rows))));
        }
        let (views, nulls) = self.views.finish(rows);
        Arc::new(string_array(views, buffers, nulls))
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
