//! The members of a document that list other documents, and the records in rows of results.

use super::definition::{Signs, string_member};
use crate::json::{Cursor, Key, Value, is_space};

/// Members of a document that list others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// `Records`: mostly records.
    Records,
    /// Documents that hold records, mostly in strings.
    Holders,
    /// Rows of Logs Insights: lists of fields.
    Rows,
    /// Rows of Lake: lists of objects with one column each.
    Results,
    /// Control messages, by which CloudWatch Logs checks whether the destination is reachable.
    Control,
}

impl List {
    /// The list that this key of a document names, if the cursor is at an array.
    pub(super) fn of(cursor: &Cursor<'_>, key: Key, signs: &Signs) -> Option<Self> {
        if cursor.byte() != b'[' {
            return None;
        }
        match &*cursor.name(key) {
            b"Records" => Some(Self::Records),
            _ if !signs.allow_list() => None,
            b"events" | b"logEvents" if signs.is_control() => Some(Self::Control),
            b"Events" | b"events" | b"logEvents" | b"Messages" => Some(Self::Holders),
            b"results" => Some(Self::Rows),
            b"QueryResultRows" => Some(Self::Results),
            _ => None,
        }
    }
}

/// The text of a row of Logs Insights: the value of its field `@message`.
pub(super) fn message(cursor: &Cursor<'_>, row: Value) -> Option<Value> {
    of_row(cursor, row, |field| {
        let name = string_member(cursor, field, b"field")?;
        cursor.string(name).filter(|name| **name == *b"@message")?;
        string_member(cursor, field, b"value")
    })
}

/// The text of the record in a row of Lake, if the query selected it.
pub(super) fn lake_record(cursor: &Cursor<'_>, row: Value) -> Option<Value> {
    of_row(cursor, row, |column| string_member(cursor, column, b"eventJson"))
}

/// What `find` finds in the objects of a row; if in several, the last.
fn of_row(cursor: &Cursor<'_>, row: Value, find: impl Fn(Value) -> Option<Value>) -> Option<Value> {
    if cursor.slice(row)[0] != b'[' {
        return None;
    }
    let mut cells = cursor.back_to(row);
    let mut found = None;
    let mut more = cells.enter_array().ok()?;
    while more {
        let (start, token) = (cells.at, cells.token());
        cells.value().ok()?;
        if cursor.bytes()[start] == b'{' {
            found = find(cells.value_from(start, token)).or(found);
        }
        more = cells.next_element().ok()?;
    }
    found
}

/// Whether the array at the cursor has no elements.
pub(super) fn is_empty_array(cursor: &Cursor<'_>) -> bool {
    cursor.bytes()[cursor.at + 1..].iter().find(|byte| !is_space(**byte)) == Some(&b']')
}
