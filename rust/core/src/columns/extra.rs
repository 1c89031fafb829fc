//! The column `extra`: one JSON object with everything that has no column of its own.

use std::io::Write;

use crate::event::{Name, Stray};
use crate::json::Cursor;
use crate::schema::COLUMNS;

/// Appends `{"path":value,…}` in the order of the record, keys and values byte for byte.
pub(super) fn write(cursor: &Cursor<'_>, strays: &mut [Stray], text: &mut Vec<u8>) {
    strays.sort_unstable_by_key(|stray| stray.value.start);
    text.push(b'{');
    for (number, stray) in strays.iter().enumerate() {
        text.extend_from_slice(if number == 0 { b"\"" } else { b",\"" });
        if let Some(parent) = stray.parent {
            text.extend_from_slice(COLUMNS[parent as usize].path.as_bytes());
        }
        if let Some(element) = stray.element {
            let _ = write!(text, "[{element}]");
        }
        let name = match stray.name {
            Name::Parent => &[],
            Name::Member(column) => COLUMNS[column as usize].name().as_bytes(),
            Name::Key(start, end) => &cursor.bytes()[start as usize..end as usize],
        };
        if stray.parent.is_some() && !matches!(stray.name, Name::Parent) {
            text.push(b'.');
        }
        text.extend_from_slice(name);
        text.extend_from_slice(b"\":");
        text.extend_from_slice(cursor.slice(stray.value));
    }
    text.push(b'}');
}
