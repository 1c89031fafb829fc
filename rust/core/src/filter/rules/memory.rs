//! What is known about the values at one path: most were seen in an earlier record, since few callers make most calls.

use crate::bounds::{VALUE_KNOWN, VALUES_KNOWN, VALUES_KNOWN_BYTES};
use crate::filter::locate::Located;
use crate::json::Cursor;

/// For the values seen last: the rules whose requirement they satisfy, as far as that was asked.
pub(super) struct Memory {
    /// Words of a set of rules.
    width: usize,
    /// Each value has one place. There is one place more, for values that are too long.
    values: Vec<Seen>,
    /// For each value two sets: the rules that it satisfies, and those of which it is known whether it does.
    sets: Vec<u64>,
}

/// A value as it is spelled.
#[derive(Default)]
struct Seen {
    text: Vec<u8>,
    spelling: Option<Spelling>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    Json,
    /// Without the quotes and the escapes of a string.
    Plain,
}

/// The two sets of a value.
pub(super) struct Sets<'a> {
    /// Whether nothing was known about the value before.
    pub(super) is_new: bool,
    /// The rules that it satisfies.
    pub(super) satisfied: &'a mut [u64],
    /// The rules of which it is known whether it satisfies them.
    pub(super) known: &'a mut [u64],
}

impl Memory {
    /// Room for as many values as may be known if memories of this many groups share it.
    pub(super) fn new(width: usize, groups: usize) -> Self {
        let bytes = 2 * width.max(1) * size_of::<u64>();
        let places = VALUES_KNOWN.min(VALUES_KNOWN_BYTES / bytes) / groups;
        let places = places.max(1);
        Self {
            width,
            values: std::iter::repeat_with(Seen::default).take(places + 1).collect(),
            sets: vec![0; 2 * width * (places + 1)],
        }
    }

    /// What is known about a value.
    #[inline]
    pub(super) fn of(&mut self, value: &Located, cursor: &Cursor<'_>) -> Sets<'_> {
        let (text, spelling) = match value {
            Located::Span(value) => (cursor.slice(*value), Spelling::Json),
            Located::Text(text) => (&**text, Spelling::Plain),
        };
        let last = self.values.len() - 1;
        let (place, is_new) = if text.len() > VALUE_KNOWN {
            (last, true)
        } else {
            let place = ((u64::from(spread(text)) * last as u64) >> 32) as usize;
            let seen = &mut self.values[place];
            let is_new = seen.spelling != Some(spelling) || seen.text != text;
            if is_new {
                seen.text.clear();
                seen.text.extend_from_slice(text);
                seen.spelling = Some(spelling);
            }
            (place, is_new)
        };
        let sets = &mut self.sets[2 * self.width * place..][..2 * self.width];
        let (satisfied, known) = sets.split_at_mut(self.width);
        Sets { is_new, satisfied, known }
    }
}

/// A number for a text, of its length and four of its words. Texts with the same number take each other's place, which
/// costs time only.
#[inline]
fn spread(text: &[u8]) -> u32 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |mixed: u64, word: u64| (mixed ^ word).wrapping_mul(ODD).rotate_left(29);
    let word = |at: usize| text[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let length = text.len();
    let mixed = match length.checked_sub(8) {
        Some(last) => [0, last / 3, last / 3 * 2, last].into_iter().map(word).fold(length as u64, mix),
        None => text.iter().fold(length as u64, |mixed, &byte| mixed << 8 | u64::from(byte)),
    };
    (mixed.wrapping_mul(ODD) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Window;

    /// Whether nothing was known about a string in JSON, which is the whole text, or about a derived one.
    fn is_new(memory: &mut Memory, text: &str, spelling: Spelling) -> bool {
        let window = Window::new(text);
        let cursor = window.cursor();
        let value = match spelling {
            Spelling::Json => Located::Span(cursor.clone().value().expect("a value")),
            Spelling::Plain => Located::Text(text.as_bytes().to_vec().into()),
        };
        memory.of(&value, &cursor).is_new
    }

    #[test]
    fn a_value_is_known_by_its_whole_text_and_its_spelling() {
        let mut memory = Memory::new(1, 1);
        let long = |middle: char| format!("\"{}{middle}{}\"", "a".repeat(201), "b".repeat(203));
        for text in ["\"\"", "\"x\"", "\"1\"", "1", "true", &long('x'), &long('y')] {
            assert!(is_new(&mut memory, text, Spelling::Json), "{text}");
            assert!(!is_new(&mut memory, text, Spelling::Json), "{text}");
        }
        assert!(is_new(&mut memory, "true", Spelling::Plain));
        assert!(!is_new(&mut memory, "true", Spelling::Plain));
        assert!(is_new(&mut memory, "true", Spelling::Json));
    }

    #[test]
    fn long_values_are_not_kept_and_room_is_shared() {
        let mut memory = Memory::new(1, 1);
        let long = format!("\"{}\"", "a".repeat(VALUE_KNOWN));
        assert!((0..2).all(|_| is_new(&mut memory, &long, Spelling::Json)));
        for (width, groups, places) in
            [(1, 1, 512), (1, 2, 256), (16, 1, 256), (1, 1000, 1), (100_000, 1, 1), (0, 1, 512)]
        {
            let memory = Memory::new(width, groups);
            assert_eq!((memory.values.len(), memory.sets.len()), (places + 1, 2 * width * (places + 1)));
        }
    }
}
