//! Rows of the ledger as a table.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, StructArray, UInt64Array};
use arrow_schema::Field;

use super::row::Row;

/// Some rows, each with its columns.
#[must_use]
pub fn batch(rows: &[Row]) -> RecordBatch {
    let records = |count: fn(&Row) -> u64| counts(rows, |row| row.outcome.counts_records().then(|| count(row)));
    let columns = [
        ("file", texts(rows, |row| Some(&row.key))),
        ("size", counts(rows, |row| row.size)),
        ("etag", texts(rows, |row| row.etag.as_deref())),
        ("outcome", texts(rows, |row| Some(row.outcome.name()))),
        ("reason", texts(rows, |row| row.reason.as_deref())),
        ("byte", counts(rows, |row| row.byte)),
        ("records_read", records(|row| row.read)),
        ("records_bad", records(|row| row.bad)),
        ("records_skipped", records(|row| row.skipped)),
        ("records_duplicate", counts(rows, |row| row.duplicates)),
        ("sha256", texts(rows, |row| row.sha256.as_deref())),
    ];
    let column = |(name, cells): (&str, ArrayRef)| (Arc::new(Field::new(name, cells.data_type().clone(), true)), cells);
    StructArray::from(columns.map(column).to_vec()).into()
}

fn texts<'a>(rows: &'a [Row], text: impl Fn(&'a Row) -> Option<&'a str>) -> ArrayRef {
    Arc::new(rows.iter().map(text).collect::<StringArray>())
}

fn counts(rows: &[Row], count: impl Fn(&Row) -> Option<u64>) -> ArrayRef {
    Arc::new(rows.iter().map(count).collect::<UInt64Array>())
}
