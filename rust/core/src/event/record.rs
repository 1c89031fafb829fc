//! One record as spans: no value is copied or converted before a filter or a column needs it.

use crate::error::Error;
use crate::json::{Cursor, Key, PADDING, Value, unescape};
use crate::schema::{COLUMNS, ColumnId, KeyTable, Kind, TREE, Tree};

/// The known values of one record, by column, and everything else in it. Reused for each record.
pub(crate) struct Record {
    tree: &'static Tree,
    values: [Value; 128],
    /// Columns whose value is a string without escapes, and columns with any other value. In two words, since setting a
    /// bit of 128 takes several instructions more.
    plain: [u64; 2],
    others: [u64; 2],
    /// In no particular order.
    pub(crate) strays: Vec<Stray>,
    /// Values that a later duplicate replaced.
    superseded: Vec<Value>,
    /// The column of the key that followed each key last time, by the column of that key: events have their members in
    /// the order of the service that wrote them. Then the first key of the record, and of each object.
    followers: [ColumnId; 257],
}

/// Of the followers, the first key of the record.
const FIRST: usize = 128;
/// No column.
const NONE: ColumnId = 128;

/// What to note about a record. Everything else is passed, but still validated.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// The objects whose members are noted.
    objects: u128,
    /// One bit for each [`shape`] that a wanted key has.
    shapes: u64,
    /// Whether all keys are wanted, also unknown ones.
    everything: bool,
}

/// A bit for a key's length and last byte, so that few unwanted keys are looked up. With lengths alone, a scan of `raw`
/// took 8 % more instructions, since most keys of a record are as long as `eventJson`.
#[inline(always)]
fn shape(length: usize, last: u8) -> u64 {
    1 << ((usize::from(last) + 5 * length) & 63)
}

fn shape_of(key: &[u8]) -> u64 {
    shape(key.len(), key.last().copied().unwrap_or(b'"')) // The byte before an empty key is its quote.
}

impl Wanted {
    /// These columns with their members, and the objects that contain them.
    pub(crate) fn columns(columns: u128) -> Self {
        let ids = (0..COLUMNS.len() as ColumnId).filter(|&id| columns >> id & 1 == 1);
        Self {
            objects: columns,
            shapes: ids.fold(0, |shapes, id| shapes | shape_of(COLUMNS[id as usize].name().as_bytes())),
            everything: false,
        }
    }

    /// These columns, and keys without a column.
    pub(crate) fn columns_and_keys(columns: u128, keys: &[&[u8]]) -> Self {
        let known = Self::columns(columns);
        Self { shapes: keys.iter().fold(known.shapes, |shapes, key| shapes | shape_of(key)), ..known }
    }

    /// Everything that either of the two wants.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            objects: self.objects | other.objects,
            shapes: self.shapes | other.shapes,
            everything: self.everything || other.everything,
        }
    }

    /// Everything, including unknown keys.
    pub(crate) fn everything() -> Self {
        Self { objects: u128::MAX, shapes: u64::MAX, everything: true }
    }
}

/// A value without a column of its own.
#[derive(Clone, Copy)]
pub(crate) struct Stray {
    /// The object or column that it belongs to; `None` for the record itself.
    pub(crate) parent: Option<ColumnId>,
    /// Index of the element in the parent's list.
    pub(crate) element: Option<u32>,
    pub(crate) name: Name,
    pub(crate) value: Value,
}

/// The last step of a stray's path.
#[derive(Clone, Copy)]
pub(crate) enum Name {
    /// The parent's own path: its value does not fit, or a later duplicate replaced it.
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
        Self {
            tree: &TREE,
            values: [Value::default(); 128],
            plain: [0; 2],
            others: [0; 2],
            strays: Vec::new(),
            superseded: Vec::new(),
            followers: [NONE; 257],
        }
    }

    /// Passes the record at the cursor and notes the values that are wanted.
    pub(crate) fn read(&mut self, cursor: &mut Cursor<'_>, wanted: Wanted) -> Result<Value, Error> {
        (self.plain, self.others) = ([0; 2], [0; 2]);
        self.strays.clear();
        self.superseded.clear();
        let (start, token) = (cursor.at, cursor.token());
        if wanted.everything {
            self.object(cursor, None)?;
        } else {
            self.some_of(cursor, None, wanted)?;
        }
        if !self.superseded.is_empty() {
            self.forget_superseded();
        }
        Ok(cursor.value_from(start, token))
    }

    /// The value of a column.
    #[inline]
    pub(crate) fn get(&self, column: ColumnId) -> Option<Value> {
        let (word, bit) = place(column);
        ((self.plain[word] | self.others[word]) & bit != 0).then(|| self.value(column))
    }

    /// The value of a column that has one.
    #[inline]
    pub(crate) fn value(&self, column: ColumnId) -> Value {
        self.values[column as usize]
    }

    /// The columns whose value is a string without escapes.
    #[inline]
    pub(crate) fn plain(&self) -> u128 {
        set(self.plain)
    }

    /// The columns that have another value.
    #[inline]
    pub(crate) fn others(&self) -> u128 {
        set(self.others)
    }

    /// Passes an object of which every member is wanted. In the `mixed` corpus, 96 % of the keys are the expected ones.
    fn object(&mut self, cursor: &mut Cursor<'_>, parent: Option<ColumnId>) -> Result<(), Error> {
        let mut before = parent.map_or(FIRST, |parent| FIRST + 1 + usize::from(parent));
        let mut more = cursor.enter_object()?;
        while more {
            let follower = self.followers[before];
            let column = if cursor.expected_key(&self.tree.openings[usize::from(follower)]) {
                follower
            } else {
                let Some(column) = self.other_key(cursor, parent)? else {
                    more = cursor.next_member()?;
                    continue;
                };
                self.followers[before] = column;
                column
            };
            before = usize::from(column);
            let (word, bit) = place(column);
            if (self.plain[word] | self.others[word]) & bit != 0 {
                self.supersede(column);
            }
            if let Some(value) = cursor.plain_string() {
                self.values[before] = value;
                self.plain[word] |= bit;
            } else {
                cursor.skip_space();
                self.values[before] = if cursor.byte() == b'{' && COLUMNS[before].kind == Kind::Object {
                    let (start, token) = (cursor.at, cursor.token());
                    self.object(cursor, Some(column))?;
                    cursor.value_from(start, token)
                } else {
                    cursor.value()?
                };
                self.others[word] |= bit;
            }
            more = cursor.next_member()?;
        }
        Ok(())
    }

    /// Passes a key that is not the expected one, and its colon. Without a column, the value is passed too, as a stray.
    #[inline(never)]
    fn other_key(&mut self, cursor: &mut Cursor<'_>, parent: Option<ColumnId>) -> Result<Option<ColumnId>, Error> {
        let key = cursor.key()?;
        let column = find(self.table(parent), cursor, key);
        if column.is_none() {
            let value = cursor.value()?;
            self.strays.push(Stray { parent, element: None, name: Name::key(key), value });
        }
        Ok(column)
    }

    /// Passes an object of which some members are wanted: most keys are not looked at.
    fn some_of(&mut self, cursor: &mut Cursor<'_>, parent: Option<ColumnId>, wanted: Wanted) -> Result<(), Error> {
        let table = self.table(parent);
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
            let (word, bit) = place(column);
            if (self.plain[word] | self.others[word]) & bit != 0 {
                self.supersede(column);
            }
            let value = if let Some((_, value)) = plain {
                self.plain[word] |= bit;
                value
            } else {
                let is_wanted = wanted.objects >> column & 1 == 1;
                let value = if is_wanted && cursor.byte() == b'{' && COLUMNS[column as usize].kind == Kind::Object {
                    let (start, token) = (cursor.at, cursor.token());
                    self.some_of(cursor, Some(column), wanted)?;
                    cursor.value_from(start, token)
                } else {
                    cursor.value()?
                };
                self.others[word] |= bit;
                value
            };
            self.values[column as usize] = value;
            more = cursor.next_member()?;
        }
        Ok(())
    }

    /// The keys of the record, or of an object in it.
    fn table(&self, parent: Option<ColumnId>) -> &'static KeyTable {
        parent.map_or(&self.tree.record, |parent| &self.tree.keys[parent as usize])
    }

    /// A duplicate key: its last value counts, as in Python's and Java's readers, and the earlier one becomes a stray.
    #[cold]
    fn supersede(&mut self, column: ColumnId) {
        let earlier = self.values[column as usize];
        let subtree = self.tree.subtree[column as usize];
        for (word, below) in [subtree as u64, (subtree >> 64) as u64].into_iter().enumerate() {
            self.plain[word] &= !below;
            self.others[word] &= !below;
        }
        self.superseded.push(earlier);
        self.strays.push(Stray { parent: Some(column), element: None, name: Name::Parent, value: earlier });
    }

    /// Drops the strays inside of superseded values, each of which is a stray as a whole. This is done once for all of
    /// them, since a key may be repeated a million times.
    #[cold]
    fn forget_superseded(&mut self) {
        self.superseded.sort_unstable_by_key(|value| value.start);
        // Values are nested or disjoint; the outermost ones are kept.
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

/// The word and the bit of a column.
#[inline(always)]
fn place(column: ColumnId) -> (usize, u64) {
    (usize::from(column / 64) & 1, 1 << (column % 64))
}

#[inline(always)]
fn set([low, high]: [u64; 2]) -> u128 {
    u128::from(low) | u128::from(high) << 64
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
