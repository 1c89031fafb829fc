//! Conditions on a column with the semantics of Polars: null meets only [`Test::IsNull`].

use super::locate::with_parents;
use crate::event::Record;
use crate::json::{Cursor, Value};
use crate::scalar::{flag, timestamp};
use crate::schema::{COLUMNS, ColumnId, Kind, find};

/// A column that predicates can test: one with a value of its own in the record.
#[derive(Debug, Clone, Copy)]
pub struct Field(pub(super) ColumnId);

impl Field {
    /// The column with this path, if it can be tested with `test`.
    #[must_use]
    pub fn new(path: &str, test: &Test) -> Option<Self> {
        let column = find(path).filter(|_| !path.contains("[]"))?;
        let fits = match (COLUMNS[column as usize].kind, test) {
            (Kind::Text | Kind::Json, test) => !matches!(test, Test::Between(..) | Test::Is(_)),
            (Kind::Time, test) => matches!(test, Test::Between(..) | Test::IsNull | Test::IsNotNull),
            (Kind::Flag, test) => matches!(test, Test::Is(_) | Test::IsNull | Test::IsNotNull),
            _ => false,
        };
        fits.then_some(Self(column))
    }

    /// The column's path.
    pub(super) fn path(self) -> &'static str {
        COLUMNS[self.0 as usize].path
    }

    /// Whether its text is JSON of any kind.
    pub(super) fn is_json(self) -> bool {
        COLUMNS[self.0 as usize].kind == Kind::Json
    }

    /// The column, and the objects whose members must be noted for it.
    pub(super) fn columns(self) -> u128 {
        with_parents(self.0)
    }

    pub(super) fn passes(self, test: &Test, record: &Record, cursor: &Cursor<'_>) -> bool {
        let value = record.get(self.0).filter(|&value| cursor.slice(value) != b"null");
        test.passes(COLUMNS[self.0 as usize].kind, cursor, value)
    }
}

/// A test on a column.
#[derive(Debug, Clone)]
pub enum Test {
    /// Text is one of these.
    In(Vec<String>),
    /// Text is not this.
    NotEqual(String),
    /// Text starts with this.
    StartsWith(String),
    /// Text ends with this.
    EndsWith(String),
    /// Text contains this.
    Contains(String),
    /// A flag is this.
    Is(bool),
    /// A time is between these, both included, in microseconds since 1970.
    Between(i64, i64),
    /// There is no value.
    IsNull,
    /// There is a value.
    IsNotNull,
}

impl Test {
    fn passes(&self, kind: Kind, cursor: &Cursor<'_>, value: Option<Value>) -> bool {
        let Some(value) = value else { return matches!(self, Self::IsNull) };
        match (kind, cursor.string(value)) {
            (Kind::Time, text) => match (self, text.and_then(|text| timestamp(&text))) {
                (Self::Between(from, to), Some(micros)) => (from..=to).contains(&&micros),
                (Self::IsNotNull, Some(_)) | (Self::IsNull, None) => true,
                _ => false,
            },
            (Kind::Flag, text) => match (self, flag(cursor.slice(value), text.as_deref())) {
                (Self::Is(wanted), Some(flag)) => *wanted == flag,
                (Self::IsNotNull, Some(_)) | (Self::IsNull, None) => true,
                _ => false,
            },
            (Kind::Text, Some(text)) => self.passes_text(&text),
            _ => self.passes_text(cursor.slice(value)),
        }
    }

    fn passes_text(&self, text: &[u8]) -> bool {
        match self {
            Self::In(values) => values.iter().any(|value| value.as_bytes() == text),
            Self::NotEqual(value) => value.as_bytes() != text,
            Self::StartsWith(start) => text.starts_with(start.as_bytes()),
            Self::EndsWith(end) => text.ends_with(end.as_bytes()),
            Self::Contains(part) => memchr::memmem::find(text, part.as_bytes()).is_some(),
            Self::IsNotNull => true,
            Self::IsNull | Self::Is(_) | Self::Between(..) => false,
        }
    }
}
