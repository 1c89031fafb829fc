//! From a key's bytes to its column, by one multiplication and one comparison.

use super::ColumnId;

/// Places of the table; a power of two.
const PLACES: usize = 128;
const VACANT: u8 = u8::MAX;

/// The keys of one kind of object, as a hash table without collisions.
pub(crate) struct KeyTable {
    multiplier: u64,
    places: [u8; PLACES],
    entries: Vec<Entry>,
}

/// A known key.
struct Entry {
    name: &'static [u8],
    /// The first eight bytes, zero-padded.
    word: u64,
    column: ColumnId,
}

impl KeyTable {
    pub(crate) fn new(keys: impl Iterator<Item = (&'static str, ColumnId)>) -> Self {
        let entries: Vec<_> = keys
            .map(|(name, column)| {
                let mut padded = [0; 8];
                let length = name.len().min(8);
                padded[..length].copy_from_slice(&name.as_bytes()[..length]);
                Entry { name: name.as_bytes(), word: u64::from_le_bytes(padded), column }
            })
            .collect();
        // Odd multiples of the golden ratio until one spreads the keys without a collision: a few dozen tries, once per process.
        let mut multiplier = 0x9e37_79b9_7f4a_7c15u64;
        loop {
            let mut places = [VACANT; PLACES];
            let free = entries.iter().enumerate().all(|(number, entry)| {
                let place = &mut places[place(entry.word, entry.name.len(), multiplier)];
                std::mem::replace(place, number as u8) == VACANT
            });
            if free {
                return Self { multiplier, places, entries };
            }
            multiplier = multiplier.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        }
    }

    /// The column of the key `bytes[start..end]`; eight bytes behind its start must be readable.
    #[inline]
    pub(crate) fn find(&self, bytes: &[u8], start: usize, end: usize) -> Option<ColumnId> {
        let length = end - start;
        let word = u64::from_le_bytes(*bytes[start..].first_chunk()?);
        let word = if length < 8 { word & ((1 << (8 * length)) - 1) } else { word };
        let entry = self.entries.get(usize::from(self.places[place(word, length, self.multiplier)]))?;
        let same = entry.word == word && entry.name.len() == length && (length <= 8 || entry.name[8..] == bytes[start + 8..end]);
        same.then_some(entry.column)
    }
}

#[inline]
fn place(word: u64, length: usize, multiplier: u64) -> usize {
    ((word ^ length as u64).wrapping_mul(multiplier) >> (u64::BITS - PLACES.trailing_zeros())) as usize
}
