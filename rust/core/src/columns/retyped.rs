//! Batches with text in other Arrow types than views, for readers that cannot compute with views.

use std::slice::Iter;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, GenericStringArray, ListArray, OffsetSizeTrait, RecordBatch, RecordBatchOptions, StringViewArray,
    StructArray,
};
use arrow_buffer::{Buffer, OffsetBuffer};
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema};

/// Strings of up to this many bytes are stored in the view itself.
const INLINE: usize = 12;

/// The batch with its text in these types, one per column or member of text, in order of depth: `Utf8`, `LargeUtf8` or
/// `Utf8View`. The input has views, as [`super::Builders`] makes them, and is consumed column by column: it is never in
/// memory twice as a whole.
///
/// # Panics
///
/// If the types do not match its columns of text, or a column has more text than its offsets can reach, which
/// [`crate::bounds`] rules out.
pub(crate) fn retyped(batch: RecordBatch, types: &[DataType]) -> RecordBatch {
    let mut types = types.iter();
    let (schema, arrays, rows) = batch.into_parts();
    let (fields, arrays): (Vec<_>, Vec<_>) = each(schema.fields(), arrays, &mut types);
    assert!(types.next().is_none(), "a type for each column of text");
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .expect("arrays of their own types")
}

fn each(fields: &Fields, arrays: Vec<ArrayRef>, types: &mut Iter<DataType>) -> (Vec<FieldRef>, Vec<ArrayRef>) {
    fields.iter().zip(arrays).map(|(field, array)| column(field, array, types)).unzip()
}

fn column(field: &FieldRef, array: ArrayRef, types: &mut Iter<DataType>) -> (FieldRef, ArrayRef) {
    let array: ArrayRef = if let Some(views) = array.as_any().downcast_ref::<StringViewArray>() {
        match types.next().expect("a type for each column of text") {
            DataType::Utf8 => Arc::new(strings::<i32>(views)),
            DataType::LargeUtf8 => Arc::new(strings::<i64>(views)),
            DataType::Utf8View => array,
            other => unreachable!("{other} is no type of text"),
        }
    } else if let Some(object) = array.as_any().downcast_ref::<StructArray>() {
        let (fields, members, nulls) = object.clone().into_parts();
        drop(array);
        let (fields, members) = each(&fields, members, types);
        Arc::new(StructArray::new(fields.into(), members, nulls))
    } else if let Some(list) = array.as_any().downcast_ref::<ListArray>() {
        let (item, offsets, values, nulls) = list.clone().into_parts();
        drop(array);
        let (item, values) = column(&item, values, types);
        Arc::new(ListArray::new(item, offsets, values, nulls))
    } else {
        return (Arc::clone(field), array);
    };
    (Arc::new(Field::new(field.name(), array.data_type().clone(), field.is_nullable())), array)
}

/// The same strings, concatenated.
pub(super) fn strings<O: OffsetSizeTrait>(views: &StringViewArray) -> GenericStringArray<O> {
    // Most columns of most batches have no value.
    if views.null_count() == views.len() {
        return GenericStringArray::new_null(views.len());
    }
    let total = views.lengths().map(|length| length as usize).sum();
    assert!(O::from_usize(total).is_some(), "a column of one batch has {total} bytes of text");
    let mut text = Vec::with_capacity(total);
    let mut offsets = Vec::with_capacity(views.len() + 1);
    offsets.push(O::default());
    for (row, view) in views.views().iter().enumerate() {
        // Short strings are in the view itself; that of a null is empty.
        match *view as u32 as usize {
            length @ 0..=INLINE => text.extend_from_slice(&view.to_le_bytes()[4..4 + length]),
            _ => text.extend_from_slice(views.value(row).as_bytes()),
        }
        offsets.push(O::usize_as(text.len()));
    }
    // Checks them as UTF-8 once more, which costs a twentieth of the copy.
    GenericStringArray::new(OffsetBuffer::new(offsets.into()), Buffer::from_vec(text), views.nulls().cloned())
}
