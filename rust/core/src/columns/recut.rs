//! Batches cut anew: where a batch ends depends on its rows alone, not on the batches that they came in.
//!
//! A scan hands rows over as they come: the size of its batches depends on the threads, and on how fast a bucket
//! answers. Output that must be the same byte for byte at each read is cut here.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Int64Array, ListArray, RecordBatch, RecordBatchOptions, StringViewArray, StructArray, UInt32Array,
    make_array,
};
use arrow_data::transform::MutableArrayData;
use arrow_schema::{DataType, Field, SchemaRef};

use super::retyped::strings;
use crate::bounds::{RECUT_BYTES, RECUT_ROWS};

/// The size that each value counts in addition to its text, null or not.
const CELL: usize = 8;

/// Turns batches into other batches of the same rows, with this schema.
pub(crate) struct Recut {
    schema: SchemaRef,
    /// Rows of the next batch, which is not yet full.
    waiting: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
    ready: VecDeque<RecordBatch>,
}

impl Recut {
    pub(crate) fn new(schema: SchemaRef) -> Self {
        Self { schema, waiting: Vec::new(), rows: 0, bytes: 0, ready: VecDeque::new() }
    }

    /// Adds a batch with views, as [`super::Builders`] makes it.
    pub(crate) fn push(&mut self, batch: &RecordBatch) {
        let mut sizes = vec![0; batch.num_rows()];
        for column in batch.columns() {
            add_sizes(column, &mut sizes);
        }
        let mut start = 0;
        for (row, size) in sizes.into_iter().enumerate() {
            if self.rows > 0 && (self.rows == RECUT_ROWS || self.bytes + size > RECUT_BYTES) {
                self.wait(batch, start, row);
                start = row;
                self.finish();
            }
            self.rows += 1;
            self.bytes += size;
        }
        self.wait(batch, start, batch.num_rows());
    }

    fn wait(&mut self, batch: &RecordBatch, start: usize, end: usize) {
        if start < end {
            self.waiting.push(batch.slice(start, end - start));
        }
    }

    /// Ends the batch that waits for more rows.
    pub(crate) fn finish(&mut self) {
        (self.rows, self.bytes) = (0, 0);
        let parts = std::mem::take(&mut self.waiting);
        if !parts.is_empty() {
            self.ready.push_back(joined(&parts, &self.schema));
        }
    }

    /// The next batch that is complete.
    pub(crate) fn next(&mut self) -> Option<RecordBatch> {
        self.ready.pop_front()
    }
}

/// Adds the size of each value of a column to its row.
fn add_sizes(array: &ArrayRef, sizes: &mut [usize]) {
    if let Some(texts) = array.as_any().downcast_ref::<StringViewArray>() {
        for (size, length) in sizes.iter_mut().zip(texts.lengths()) {
            *size += CELL + length as usize;
        }
    } else if let Some(object) = array.as_any().downcast_ref::<StructArray>() {
        object.columns().iter().for_each(|member| add_sizes(member, sizes));
    } else if let Some(list) = array.as_any().downcast_ref::<ListArray>() {
        let mut elements = vec![0; list.values().len()];
        add_sizes(list.values(), &mut elements);
        for (row, size) in sizes.iter_mut().enumerate() {
            let start = list.value_offsets()[row].cast_unsigned() as usize;
            let length = list.value_length(row).cast_unsigned() as usize;
            *size += CELL + elements[start..start + length].iter().sum::<usize>();
        }
    } else {
        for size in sizes {
            *size += CELL;
        }
    }
}

/// The rows of all parts in one batch, copied so that it does not depend on where each part began.
fn joined(parts: &[RecordBatch], schema: &SchemaRef) -> RecordBatch {
    let rows = parts.iter().map(RecordBatch::num_rows).sum();
    let column = |(number, field): (usize, &Arc<Field>)| {
        let arrays: Vec<_> = parts.iter().map(|part| part.column(number)).collect();
        as_field(join(&arrays, rows), field)
    };
    let columns = schema.fields().iter().enumerate().map(column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).expect("arrays of the schema's types")
}

fn join(arrays: &[&ArrayRef], rows: usize) -> ArrayRef {
    let data: Vec<_> = arrays.iter().map(Array::to_data).collect();
    let mut copy = MutableArrayData::new(data.iter().collect(), false, rows);
    for (number, array) in arrays.iter().enumerate() {
        copy.try_extend(number, 0, array.len()).expect("a batch has fewer elements than 32 bits count");
    }
    make_array(copy.freeze())
}

/// A column in the type of a field: another string type, a wider number, another name for the items of lists.
fn as_field(array: ArrayRef, field: &Field) -> ArrayRef {
    if array.data_type() == field.data_type() {
        return array;
    }
    let any = array.as_any();
    match field.data_type() {
        DataType::Utf8 => Arc::new(strings::<i32>(any.downcast_ref().expect("text is made as views"))),
        DataType::LargeUtf8 => Arc::new(strings::<i64>(any.downcast_ref().expect("text is made as views"))),
        DataType::Int64 => {
            let numbers: &UInt32Array = any.downcast_ref().expect("the index of a record");
            Arc::new(Int64Array::from_iter_values(numbers.values().iter().map(|number| i64::from(*number))))
        }
        DataType::Struct(fields) => {
            let object: &StructArray = any.downcast_ref().expect("an object");
            let (_, members, nulls) = object.clone().into_parts();
            let members = members.into_iter().zip(fields).map(|(member, field)| as_field(member, field)).collect();
            Arc::new(StructArray::new(fields.clone(), members, nulls))
        }
        DataType::List(item) => {
            let list: &ListArray = any.downcast_ref().expect("a list");
            let (_, offsets, values, nulls) = list.clone().into_parts();
            Arc::new(ListArray::new(Arc::clone(item), offsets, as_field(values, item), nulls))
        }
        other => unreachable!("no column is given as {other}"),
    }
}

#[cfg(test)]
mod tests;
