//! The builder of a list of objects: `resources`.

use std::sync::Arc;

use arrow_array::{ArrayRef, ListArray, StructArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};

use super::cells::{TextBuilder, Validity, Zeros, text};
use crate::bounds::ELEMENTS;
use crate::error::Error;
use crate::event::{Name, Stray, find};
use crate::json::{Cursor, Value};
use crate::schema::{ColumnId, TREE};
use crate::unchecked::view::{Buffers, Texts};

/// Members of an element at most.
const MEMBERS: usize = 8;

pub(super) struct ListBuilder {
    column: ColumnId,
    /// A batch ends long before its elements exceed 32 bits: see [`crate::bounds::BATCH_ELEMENTS`].
    offsets: Vec<i32>,
    valid: Validity,
    elements: usize,
    valid_elements: Validity,
    members: Vec<TextBuilder>,
}

impl ListBuilder {
    pub(super) fn new(column: ColumnId) -> Self {
        let members = TREE.members[column as usize].iter().map(|_| TextBuilder::default()).collect();
        Self {
            column,
            offsets: Vec::new(),
            valid: Validity::default(),
            elements: 0,
            valid_elements: Validity::default(),
            members,
        }
    }

    pub(super) fn column(&self) -> ColumnId {
        self.column
    }

    /// Elements of the batch so far.
    pub(super) fn elements(&self) -> usize {
        self.elements
    }

    /// Adds the elements of the array at the cursor, at most as many as [`fits`] allows, as the list of `row`. `misfit`
    /// receives each value of another type than its column, `strays` what has no column.
    pub(super) fn set(
        &mut self,
        row: usize,
        mut cursor: Cursor<'_>,
        base: Option<usize>,
        texts: &mut Texts,
        strays: &mut Vec<Stray>,
        mut misfit: impl FnMut(ColumnId),
    ) -> Result<(), Error> {
        self.offsets.resize(row + 1, self.offset());
        self.valid.set(row);
        let mut index = 0;
        let mut more = cursor.enter_array()?;
        while more {
            let stray = |name, value| Stray { parent: Some(self.column), element: Some(index), name, value };
            if cursor.byte() == b'{' {
                self.valid_elements.set(self.elements);
                let values = self.members(&mut cursor, &stray, strays, &mut misfit)?;
                for (member, value) in
                    values.into_iter().enumerate().filter_map(|(member, value)| Some((member, value?)))
                {
                    let (view, fits) = text(texts, &cursor, value, base);
                    self.members[member].set(self.elements, view);
                    if !fits {
                        misfit(TREE.members[self.column as usize][member]);
                    }
                }
            } else {
                let value = cursor.value()?;
                if cursor.slice(value) != b"null" {
                    strays.push(stray(Name::Parent, value));
                    misfit(self.column);
                }
            }
            self.elements += 1;
            index += 1;
            more = cursor.next_element()?;
        }
        Ok(())
    }

    /// Passes the element at the cursor; its known members with a value other than null.
    fn members(
        &self,
        cursor: &mut Cursor<'_>,
        stray: &impl Fn(Name, Value) -> Stray,
        strays: &mut Vec<Stray>,
        misfit: &mut impl FnMut(ColumnId),
    ) -> Result<[Option<Value>; MEMBERS], Error> {
        let mut values = [None; MEMBERS];
        let mut more = cursor.enter_object()?;
        while more {
            let key = cursor.key()?;
            let value = cursor.value()?;
            match find(&TREE.keys[self.column as usize], cursor, key) {
                Some(id) => {
                    let member = usize::from(id - TREE.members[self.column as usize][0]);
                    if let Some(earlier) = values[member].replace(value) {
                        strays.push(stray(Name::Member(id), earlier));
                        misfit(id);
                    }
                }
                None => strays.push(stray(Name::key(key), value)),
            }
            more = cursor.next_member()?;
        }
        Ok(values.map(|value| value.filter(|&value| cursor.slice(value) != b"null")))
    }

    fn offset(&self) -> i32 {
        i32::try_from(self.elements).expect("a batch is cut after some thousand elements")
    }

    pub(super) fn finish(&mut self, rows: usize, buffers: &Buffers, zeros: &mut Zeros, field: &Field) -> ArrayRef {
        let DataType::List(element) = field.data_type() else {
            unreachable!("the column table says that it is a list")
        };
        let DataType::Struct(fields) = element.data_type() else {
            unreachable!("the column table says that it is of objects")
        };
        let end = self.offset();
        let elements = std::mem::take(&mut self.elements);
        let mut offsets = std::mem::take(&mut self.offsets);
        offsets.resize(rows + 1, end);
        let members = self.members.iter_mut().map(|member| member.finish(elements, buffers, zeros)).collect();
        let values = StructArray::new(fields.clone(), members, self.valid_elements.finish(elements));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        Arc::new(ListArray::new(Arc::clone(element), offsets, Arc::new(values), self.valid.finish(rows)))
    }
}

/// Whether the array at the cursor has no more elements than a list may have.
pub(super) fn fits(mut cursor: Cursor<'_>, array: Value) -> Result<bool, Error> {
    // An element and its comma take two bytes.
    if (array.end - array.start) as usize <= 2 * ELEMENTS {
        return Ok(true);
    }
    let mut elements = 0;
    let mut more = cursor.enter_array()?;
    while more && elements <= ELEMENTS {
        cursor.value()?;
        elements += 1;
        more = cursor.next_element()?;
    }
    Ok(elements <= ELEMENTS)
}
