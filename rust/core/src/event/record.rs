//! One record as spans: no value is copied or converted before a filter or a column asks for it.

use crate::error::Error;
use crate::json::{Cursor, Key, PADDING, Value, unescape};
use crate::schema::{COLUMNS, ColumnId, KeyTable, Kind, TREE, Tree};

/// The known values of one record, by column, and what it has besides. Reused from record to record.
pub(crate) struct Record {
    tree: &'static Tree,
    values: [Value; 128],
    present: u128,
    /// In no particular order.
    pub(crate) strays: Vec<Stray>,
    /// Values that a later one took the place of.
    superseded: Vec<Value>,
}

/// What to note of a record. Everything else is passed over, though not unread: all of a record is valid JSON.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// The objects to take apart.
    objects: u128,
    /// One bit for each [`shape`] that a wanted key has.
    shapes: u64,
}

/// A bit for the length of a key and its last byte: few keys that nobody wants have that of one that is wanted, so few are looked up. With
/// lengths alone, a scan of `raw` took 8 % more instructions, since most keys of a record are as long as `eventJson`.
#[inline(always)]
fn shape(length: usize, last: u8) -> u64 {
    1 << ((usize::from(last) + 5 * length) & 63)
}

fn shape_of(key: &[u8]) -> u64 {
    shape(key.len(), key.last().copied().unwrap_or(b'"')) // Before the end of an empty key stands its quote.
}

impl Wanted {
    /// These columns with their members, and the objects on the way to them.
    pub(crate) fn columns(columns: u128) -> Self {
        let ids = (0..COLUMNS.len() as ColumnId).filter(|&id| columns >> id & 1 == 1);
        Self { objects: columns, shapes: ids.fold(0, |shapes, id| shapes | shape_of(COLUMNS[id as usize].name().as_bytes())) }
    }

    /// These columns, and keys without a column.
    pub(crate) fn columns_and_keys(columns: u128, keys: &[&[u8]]) -> Self {
        let known = Self::columns(columns);
        Self { shapes: keys.iter().fold(known.shapes, |shapes, key| shapes | shape_of(key)), ..known }
    }

    /// What either asks for.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { objects: self.objects | other.objects, shapes: self.shapes | other.shapes }
    }

    /// All of it, unknown keys too.
    pub(crate) fn everything() -> Self {
        Self { objects: u128::MAX, shapes: u64::MAX }
    }
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
    Member(ColumnId),
    /// An unknown key, by its place in the window.
    Key(u32, u32),
}

impl Name {
    /// An unknown key. Positions in a window have 32 bits: see [`crate::json::MAX_WINDOW`].
    #[inline]
    pub(crate) fn key(key: Key) -> Self {
        Self::Key(key.start as u32, key.end as u32)
    }
}

impl Record {
    pub(crate) fn new() -> Self {
        Self { tree: &TREE, values: [Value::default(); 128], present: 0, strays: Vec::new(), superseded: Vec::new() }
    }

    /// Passes the record at the cursor and notes the values that are wanted.
    pub(crate) fn read(&mut self, cursor: &mut Cursor<'_>, wanted: Wanted) -> Result<Value, Error> {
        self.present = 0;
        self.strays.clear();
        self.superseded.clear();
        let (start, token) = (cursor.at, cursor.token());
        self.object(cursor, None, wanted)?;
        if !self.superseded.is_empty() {
            self.forget_superseded();
        }
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

    fn object(&mut self, cursor: &mut Cursor<'_>, parent: Option<ColumnId>, wanted: Wanted) -> Result<(), Error> {
        let table = parent.map_or(&self.tree.record, |parent| &self.tree.keys[parent as usize]);
        let mut more = cursor.enter_object()?;
        while more {
            let plain = cursor.plain_member();
            let key = match plain {
                Some((key, _)) => key,
                None => cursor.key()?,
            };
            if wanted.shapes & shape(key.end - key.start, cursor.bytes()[key.end - 1]) == 0 && !key.escaped {
                if plain.is_none() {
                    cursor.value()?;
                }
                more = cursor.next_member()?;
                continue;
            }
            let Some(column) = find(table, cursor, key) else {
                let value = plain.map_or_else(|| cursor.value(), |(_, value)| Ok(value))?;
                self.strays.push(Stray { parent, element: None, name: Name::key(key), value });
                more = cursor.next_member()?;
                continue;
            };
            let bit = 1 << column;
            if self.present & bit != 0 {
                self.supersede(column);
            }
            let value = if let Some((_, value)) = plain {
                value
            } else if wanted.objects & bit != 0 && cursor.byte() == b'{' && COLUMNS[column as usize].kind == Kind::Object {
                let (start, token) = (cursor.at, cursor.token());
                self.object(cursor, Some(column), wanted)?;
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
        self.superseded.push(earlier);
        self.strays.push(Stray { parent: Some(column), element: None, name: Name::Parent, value: earlier });
    }

    /// Drops the strays inside of superseded values: each of those is a stray as a whole. All at once, since a key may come a million
    /// times.
    #[cold]
    fn forget_superseded(&mut self) {
        self.superseded.sort_unstable_by_key(|value| value.start);
        // Values lie one in another or apart; the outermost are left.
        let mut end = 0;
        self.superseded.retain(|value| {
            let outside = value.end > end;
            end = end.max(value.end);
            outside
        });
        let outermost = std::mem::take(&mut self.superseded);
        self.strays.retain(|stray| {
            let before = outermost.partition_point(|value| value.start < stray.value.start);
            before.checked_sub(1).is_none_or(|at| outermost[at].end <= stray.value.start)
        });
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

#[cfg(test)]
mod tests;
