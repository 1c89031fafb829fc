//! Selecting rows of a batch.

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, make_array};
use arrow_data::transform::MutableArrayData;

/// The rows of a batch that stay; `None` when there are none. Their strings are not moved: only the views are copied.
pub(super) fn kept(batch: RecordBatch, stays: &[bool], removed: usize) -> Option<RecordBatch> {
    if removed == 0 {
        return Some(batch);
    }
    let rows = stays.len() - removed;
    if rows == 0 {
        return None;
    }
    let columns = batch.columns().iter().map(|column| some(column, stays, rows)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Some(RecordBatch::try_new_with_options(batch.schema(), columns, &options).expect("as many rows in each column"))
}

fn some(column: &ArrayRef, stays: &[bool], rows: usize) -> ArrayRef {
    if column.null_count() == column.len() {
        return column.slice(0, rows);
    }
    let data = column.to_data();
    let mut copy = MutableArrayData::new(vec![&data], false, rows);
    let mut start = 0;
    for run in stays.chunk_by(|one, other| one == other) {
        if run[0] {
            copy.try_extend(0, start, start + run.len()).expect("fewer elements than there were");
        }
        start += run.len();
    }
    make_array(copy.freeze())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::UInt32Type;
    use arrow_array::{BooleanArray, ListArray, StringViewArray, StructArray};
    use arrow_schema::{DataType, Field, Schema};

    use super::*;

    /// Rows 0 to 5 in arrays of several kinds.
    fn batch() -> RecordBatch {
        let words = ["short", "longer than the twelve bytes of a view", "", "x"];
        let texts: ArrayRef = Arc::new((0..6).map(|row| words.get(row).copied()).collect::<StringViewArray>());
        let flags: ArrayRef =
            Arc::new((0..6).map(|row| (row % 3 > 0).then_some(row % 2 == 0)).collect::<BooleanArray>());
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<UInt32Type, _, _>(
            (0..6u32).map(|row| (row != 2).then(|| (0..row).map(Some).collect::<Vec<_>>())),
        ));
        let empty: ArrayRef = Arc::new(StringViewArray::new_null(6));
        let field = |name: &str, array: &ArrayRef| Field::new(name, array.data_type().clone(), true);
        let members = vec![field("text", &texts), field("flag", &flags)];
        let object: ArrayRef = Arc::new(StructArray::new(members.into(), vec![Arc::clone(&texts), flags], None));
        let fields =
            vec![field("text", &texts), field("list", &lists), field("none", &empty), field("object", &object)];
        assert!(matches!(fields[3].data_type(), DataType::Struct(_)));
        RecordBatch::try_new(Arc::new(Schema::new(fields)), vec![texts, lists, empty, object]).expect("a batch")
    }

    #[test]
    fn rows_that_stay_are_what_they_were() {
        for mask in 0..1 << 6 {
            let stays: Vec<_> = (0..6).map(|row| mask >> row & 1 == 1).collect();
            let rows: Vec<_> = (0..6).filter(|&row| stays[row]).collect();
            let kept = kept(batch(), &stays, 6 - rows.len());
            assert_eq!(kept.as_ref().map_or(0, RecordBatch::num_rows), rows.len());
            for (number, row) in rows.into_iter().enumerate() {
                assert_eq!(
                    kept.as_ref().map(|kept| kept.slice(number, 1)),
                    Some(batch().slice(row, 1)),
                    "{mask:06b} {row}"
                );
            }
        }
    }

    #[test]
    fn rows_without_columns_are_counted() {
        let options = RecordBatchOptions::new().with_row_count(Some(3));
        let batch =
            RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options).expect("a batch");
        assert_eq!(kept(batch, &[true, false, true], 1).map(|kept| kept.num_rows()), Some(2));
    }
}
