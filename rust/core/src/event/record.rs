//! One record as spans: no value is copied or converted before a filter or a column asks for it.

use crate::error::Error;
use crate::json::{Cursor, Key, PADDING, Value, unescape};
use crate::schema::{COLUMNS, ColumnId, Kind, KeyTable, TREE, Tree};

/// The known values of one record, by column, and what it has besides. Reused from record to record.
pub(crate) struct Record {
    tree: &'static Tree,
    values: [Value; 128],
    present: u128,
    /// In no particular order.
    pub(crate) strays: Vec<Stray>,
}

/// A value that has no column of its own.
#[derive(Clone, Copy)]
pub(crate) struct Stray {
    /// The object or column that it belongs to; `None` for the record itself.
    pub(crate) parent: Option<ColumnId>,
    /// Index in the parent's list.
    pub(crate) element: Option<u32>,
    pub(crate) name: Name,
    pub(crate) value: Value,
}

/// The last step of a stray's path.
#[derive(Clone, Copy)]
pub(crate) enum Name {
    /// The parent's own path: its value does not fit, or a later one took its place.
    Parent,
    /// A known member of a list's element.
    Member(&'static str),
    /// An unknown key, by its place in the window.
    Key(u32, u32),
}

impl Record {
    pub(crate) fn new() -> Self {
        Self { tree: &TREE, values: [Value::default(); 128], present: 0, strays: Vec::new() }
    }

    /// Passes the record at the cursor and notes its values. Of the objects, only those in `enter` are taken apart.
    pub(crate) fn read(&mut self, cursor: &mut Cursor<'_>, enter: u128) -> Result<Value, Error> {
        self.present = 0;
        self.strays.clear();
        let (start, token) = (cursor.at, cursor.token());
        self.object(cursor, None, enter)?;
        Ok(cursor.value_from(start, token))
    }

    /// The value of a column.
    #[inline]
    pub(crate) fn get(&self, column: ColumnId) -> Option<Value> {
        (self.present >> column & 1 == 1).then(|| self.value(column))
    }

    /// The value of a column that is [`Self::present`].
    #[inline]
    pub(crate) fn value(&self, column: ColumnId) -> Value {
        self.values[column as usize]
    }

    /// The columns that have a value.
    #[inline]
    pub(crate) fn present(&self) -> u128 {
        self.present
    }

    fn object(&mut self, cursor: &mut Cursor<'_>, parent: Option<ColumnId>, enter: u128) -> Result<(), Error> {
        let table = parent.map_or(&self.tree.record, |parent| &self.tree.keys[parent as usize]);
        let mut more = cursor.enter_object();
        while more {
            let key = cursor.key()?;
            let Some(column) = find(table, cursor, key) else {
                let value = cursor.value()?;
                self.strays.push(Stray { parent, element: None, name: Name::Key(key.start as u32, key.end as u32), value });
                more = cursor.next_member()?;
                continue;
            };
            let bit = 1 << column;
            if self.present & bit != 0 {
                self.supersede(column);
            }
            let value = if enter & bit != 0 && cursor.byte() == b'{' && COLUMNS[column as usize].kind == Kind::Object {
                let (start, token) = (cursor.at, cursor.token());
                self.object(cursor, Some(column), enter)?;
                cursor.value_from(start, token)
            } else {
                cursor.value()?
            };
            self.values[column as usize] = value;
            self.present |= bit;
            more = cursor.next_member()?;
        }
        Ok(())
    }

    /// A key came again: its last value counts, as in Python's and Java's readers, and the earlier one becomes a stray.
    #[cold]
    fn supersede(&mut self, column: ColumnId) {
        let earlier = self.values[column as usize];
        self.present &= !self.tree.subtree[column as usize];
        self.strays.retain(|stray| !(earlier.start..earlier.end).contains(&stray.value.start));
        self.strays.push(Stray { parent: Some(column), element: None, name: Name::Parent, value: earlier });
    }
}

/// The column of a key; a key with escapes is decoded first.
#[inline]
pub(crate) fn find(table: &KeyTable, cursor: &Cursor<'_>, key: Key) -> Option<ColumnId> {
    if key.escaped { find_escaped(table, cursor, key) } else { table.find(cursor.bytes(), key.start, key.end) }
}

#[cold]
fn find_escaped(table: &KeyTable, cursor: &Cursor<'_>, key: Key) -> Option<ColumnId> {
    let mut name = Vec::new();
    unescape(&cursor.bytes()[key.start..key.end], &mut name);
    let length = name.len();
    if name.contains(&0) {
        return None; // The table pads its names with zeros.
    }
    name.resize(length + PADDING, 0);
    table.find(&name, 0, length)
}
