//! All builders of one worker, and the batches that they make.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StructArray, UInt32Array};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, SchemaRef};

use super::cells::{FlagBuilder, TextBuilder, TimeBuilder, Validity, Zeros, text};
use super::extra;
use super::list::{ListBuilder, fits};
use crate::arena::Arena;
use crate::bounds::{BATCH_CELLS, BATCH_ELEMENTS, BATCH_NAMES, BATCH_ROWS, BATCH_TEXT};
use crate::error::Error;
use crate::event::{Name, Record, Stray, Wanted};
use crate::json::{Cursor, Value};
use crate::scalar::{flag, timestamp};
use crate::schema::{COLUMNS, ColumnId, Kind, TREE, find};
use crate::unchecked::view::{Buffers, Texts, View};

/// Builds batches of some columns of the table.
pub(crate) struct Builders {
    schema: SchemaRef,
    roots: Vec<ColumnId>,
    /// Those of the roots that are not a value of the record.
    own: Vec<ColumnId>,
    /// The builders of text, and all others, by [`ColumnId`].
    texts_of: Vec<TextBuilder>,
    columns: Vec<Builder>,
    /// The columns to build: strings, JSON text, and other values of the record.
    text: u128,
    json: u128,
    values: u128,
    /// The columns asked for. Others are built only to find values that do not fit them.
    wanted: u128,
    rows: usize,
    /// The most rows of a batch: the number that fills it with a value in every column.
    most_rows: usize,
    /// Elements of the lists of the batch.
    elements: usize,
    texts: Texts,
    strays: Vec<Stray>,
    misfits: Vec<u64>,
    zeros: Zeros,
    file: View,
    /// Bytes of the file name, and of the names of all rows if each were written out.
    name: usize,
    names: usize,
}

enum Builder {
    /// In `texts_of`, or not asked for.
    Absent,
    Flag(FlagBuilder),
    Time(TimeBuilder),
    Object(Validity),
    List(ListBuilder),
    Index(Vec<u32>),
}

impl Builder {
    fn clear(&mut self) {
        *self = match self {
            Self::Flag(_) => Self::Flag(FlagBuilder::default()),
            Self::Time(_) => Self::Time(TimeBuilder::default()),
            Self::Object(_) => Self::Object(Validity::default()),
            Self::List(list) => Self::List(ListBuilder::new(list.column())),
            Self::Absent | Self::Index(_) => Self::Absent,
        }
    }
}

/// A batch, and the number of values per path that did not fit their column.
pub(crate) struct Batch {
    pub(crate) rows: RecordBatch,
    pub(crate) misfits: BTreeMap<&'static str, u64>,
}

/// The position of a record.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Where its window begins in the arena; `None` if it is not in the arena.
    pub(crate) base: Option<usize>,
    /// Its index in the file.
    pub(crate) record: u32,
}

impl Builders {
    /// Builders for the columns of `schema`, which [`crate::schema::project`] made.
    pub(crate) fn new(schema: SchemaRef) -> Self {
        let roots: Vec<_> = schema.fields().iter().filter_map(|field| find(field.name())).collect();
        let wanted = roots.iter().fold(0, |set, &root| set | TREE.subtree[root as usize]);
        let of_kind = |kinds: &[Kind]| {
            let ids = (0..COLUMNS.len() as ColumnId).filter(|&id| kinds.contains(&COLUMNS[id as usize].kind));
            ids.fold(0u128, |set, id| set | 1 << id)
        };
        // Values that do not fit their column go to `extra`, even if that column is not asked for.
        let typed = of_kind(&[Kind::Flag, Kind::Time, Kind::Object, Kind::List]);
        let extra = wanted & of_kind(&[Kind::Extra]) != 0;
        let built = if extra { wanted | typed } else { wanted };
        let builder = |id: ColumnId| match COLUMNS[id as usize].kind {
            _ if built >> id & 1 == 0 => Builder::Absent,
            Kind::Text | Kind::Json | Kind::Extra | Kind::Raw | Kind::File => Builder::Absent,
            Kind::Flag => Builder::Flag(FlagBuilder::default()),
            Kind::Time => Builder::Time(TimeBuilder::default()),
            Kind::Object => Builder::Object(Validity::default()),
            Kind::List => Builder::List(ListBuilder::new(id)),
            Kind::Record => Builder::Index(Vec::new()),
        };
        let raw = wanted & of_kind(&[Kind::Raw]) != 0;
        Self {
            texts_of: COLUMNS.iter().map(|_| TextBuilder::default()).collect(),
            columns: (0..COLUMNS.len() as ColumnId).map(builder).collect(),
            text: wanted & of_kind(&[Kind::Text]),
            json: wanted & of_kind(&[Kind::Json]),
            values: built & typed,
            wanted,
            rows: 0,
            most_rows: (BATCH_CELLS / (size_of::<View>() * built.count_ones().max(1) as usize)).min(BATCH_ROWS),
            elements: 0,
            texts: Texts::new(raw),
            strays: Vec::new(),
            misfits: vec![0; COLUMNS.len()],
            zeros: Zeros::new(),
            file: View::default(),
            name: 0,
            names: 0,
            own: columns(wanted & of_kind(&[Kind::Extra, Kind::Raw, Kind::File, Kind::Record])).collect(),
            schema,
            roots,
        }
    }

    /// Whether rows point into the arena.
    pub(crate) fn borrows(&self) -> bool {
        self.texts.borrow()
    }

    /// What must be noted of a record for these columns.
    pub(crate) fn wanted(&self) -> Wanted {
        let extra = self.roots.iter().any(|&root| COLUMNS[root as usize].kind == Kind::Extra);
        if extra { Wanted::everything() } else { Wanted::columns(self.text | self.json | self.values) }
    }

    /// Rows of the batch so far.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether the batch should be handed over before another row is added.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.rows >= self.most_rows
            || self.texts.copied() >= BATCH_TEXT
            || self.names >= BATCH_NAMES
            || self.elements >= BATCH_ELEMENTS
    }

    /// The rows that follow come from this file.
    pub(crate) fn start_file(&mut self, name: &str) {
        self.name = name.len();
        (self.file, ()) = self.texts.append(|text| text.extend_from_slice(name.as_bytes()));
    }

    /// Adds a record as a row; `whole` is all of it.
    pub(crate) fn push(
        &mut self,
        record: &Record,
        cursor: &Cursor<'_>,
        whole: Value,
        place: Place,
    ) -> Result<(), Error> {
        let row = self.rows;
        self.strays.clear();
        self.text_cells(row, record, cursor, place.base);
        for column in columns((record.plain() | record.others()) & self.values) {
            self.cell(row, column, cursor, record.value(column), place.base)?;
        }
        for own in 0..self.own.len() {
            let column = self.own[own] as usize;
            let view = match COLUMNS[column].kind {
                Kind::Raw => self.texts.view(cursor.bytes(), whole.start as usize, whole.end as usize, place.base),
                Kind::File => {
                    self.names += self.name;
                    self.file
                }
                Kind::Extra if self.strays.len() + record.strays.len() > 0 => {
                    self.strays.extend_from_slice(&record.strays);
                    self.texts.append(|text| extra::write(cursor, &mut self.strays, text)).0
                }
                _ => {
                    if let Builder::Index(index) = &mut self.columns[column] {
                        index.push(place.record);
                    }
                    continue;
                }
            };
            self.texts_of[column].set(row, view);
        }
        for stray in &record.strays {
            if let (Name::Parent, Some(column)) = (stray.name, stray.parent) {
                self.misfits[column as usize] += 1;
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Most values come here, and most time is spent here.
    #[inline(always)]
    fn text_cells(&mut self, row: usize, record: &Record, cursor: &Cursor<'_>, base: Option<usize>) {
        each(record.plain() & self.text, |column| {
            let Value { start, end, .. } = record.value(column);
            let view = self.texts.view(cursor.bytes(), start as usize + 1, end as usize - 1, base);
            self.texts_of[column as usize].set(row, view);
        });
        for column in columns(record.others() & self.text) {
            let value = record.value(column);
            if cursor.bytes()[value.start as usize] != b'n' {
                let (view, fits) = text(&mut self.texts, cursor, value, base);
                self.texts_of[column as usize].set(row, view);
                self.misfits[column as usize] += u64::from(!fits);
            }
        }
        for column in columns((record.plain() | record.others()) & self.json) {
            let value = record.value(column);
            if cursor.bytes()[value.start as usize] != b'n' {
                let view = self.texts.view(cursor.bytes(), value.start as usize, value.end as usize, base);
                self.texts_of[column as usize].set(row, view);
            }
        }
    }

    fn cell(
        &mut self,
        row: usize,
        column: ColumnId,
        cursor: &Cursor<'_>,
        value: Value,
        base: Option<usize>,
    ) -> Result<(), Error> {
        let first = cursor.bytes()[value.start as usize];
        if first == b'n' {
            return Ok(());
        }
        let fits = match &mut self.columns[column as usize] {
            Builder::Flag(flags) => {
                flag(cursor.slice(value), cursor.string(value).as_deref()).map(|flag| flags.set(row, flag))
            }
            Builder::Time(times) => {
                cursor.string(value).and_then(|text| timestamp(&text)).map(|micros| times.set(row, micros))
            }
            Builder::Object(valid) => (first == b'{').then(|| valid.set(row)),
            Builder::List(list) if first == b'[' && fits(cursor.back_to(value), value)? => {
                let misfit = |member: ColumnId| self.misfits[member as usize] += 1;
                list.set(row, cursor.back_to(value), base, &mut self.texts, &mut self.strays, misfit)?;
                self.elements = list.elements();
                Some(())
            }
            Builder::List(_) => None,
            Builder::Absent | Builder::Index(_) => return Ok(()),
        };
        if fits.is_none() {
            self.misfits[column as usize] += 1;
            self.strays.push(Stray { parent: Some(column), element: None, name: Name::Parent, value });
        }
        Ok(())
    }

    /// Returns the batch of the rows so far, or `None` without rows, and starts a new one. The text of the arena before
    /// `read` is dropped, or moves into the batch if rows point into it; the unread rest moves to the front.
    pub(crate) fn finish(&mut self, arena: &mut Arena, read: usize) -> Option<Batch> {
        let rows = std::mem::take(&mut self.rows);
        (self.elements, self.names) = (0, 0);
        let text = if rows > 0 && self.borrows() { Some(arena.take(read)) } else { None };
        if text.is_none() {
            arena.drop_front(read);
        }
        if rows == 0 {
            self.texts = Texts::new(self.borrows());
            return None;
        }
        let buffers = self.texts.finish(text);
        let schema = Arc::clone(&self.schema);
        let arrays = schema
            .fields()
            .iter()
            .zip(self.roots.clone())
            .map(|(field, root)| self.array(root, field, rows, &buffers))
            .collect();
        for column in columns(self.values & !self.wanted) {
            self.columns[column as usize].clear();
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch =
            RecordBatch::try_new_with_options(schema, arrays, &options).expect("arrays of the schema's own types");
        let counts = std::mem::replace(&mut self.misfits, vec![0; COLUMNS.len()]);
        let misfits = columns(self.wanted).map(|column| (COLUMNS[column as usize].path, counts[column as usize]));
        let misfits = misfits.filter(|&(_, count)| count > 0).collect();
        Some(Batch { rows: batch, misfits })
    }

    fn array(&mut self, column: ColumnId, field: &Field, rows: usize, buffers: &Buffers) -> ArrayRef {
        match &mut self.columns[column as usize] {
            Builder::Flag(flags) => flags.finish(rows),
            Builder::Time(times) => times.finish(rows),
            Builder::List(list) => list.finish(rows, buffers, &mut self.zeros, field),
            Builder::Index(index) => Arc::new(UInt32Array::from(std::mem::take(index))),
            Builder::Object(valid) => {
                let valid: Option<NullBuffer> = valid.finish(rows);
                let DataType::Struct(fields) = field.data_type() else {
                    unreachable!("the column table says that it is an object")
                };
                let members = fields.iter().zip(&TREE.members[column as usize]);
                let members = members.map(|(field, &member)| self.array(member, field, rows, buffers)).collect();
                Arc::new(StructArray::new(fields.clone(), members, valid))
            }
            Builder::Absent => self.texts_of[column as usize].finish(rows, buffers, &mut self.zeros),
        }
    }
}

/// Calls `act` with each column of a set, in fewer instructions than a loop over [`columns`].
#[inline(always)]
fn each(set: u128, mut act: impl FnMut(ColumnId)) {
    for (mut word, first) in [(set as u64, 0), ((set >> 64) as u64, 64)] {
        while word != 0 {
            act(first + word.trailing_zeros() as ColumnId);
            word &= word - 1;
        }
    }
}

/// The columns of a set.
#[inline(always)]
fn columns(set: u128) -> impl Iterator<Item = ColumnId> {
    let (mut low, mut high) = (set as u64, (set >> 64) as u64);
    std::iter::from_fn(move || {
        let (word, first) = if low == 0 { (&mut high, 64) } else { (&mut low, 0) };
        let column = (*word != 0).then(|| first + word.trailing_zeros() as ColumnId);
        *word &= word.wrapping_sub(1);
        column
    })
}
