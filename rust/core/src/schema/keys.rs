//! From a key's bytes to its column, by one multiplication and one comparison.

/// Index of a column in [`super::COLUMNS`]. There are fewer than 128, so that a `u128` holds a set of them.
pub(crate) type ColumnId = u8;

/// Number of places in the table; a power of two.
const PLACES: usize = 128;
const VACANT: u8 = u8::MAX;
/// The most bytes of a known key.
const LONGEST: usize = 32;

/// The keys of one kind of object, as a hash table without collisions.
pub(crate) struct KeyTable {
    multiplier: u64,
    places: [u8; PLACES],
    entries: Vec<Entry>,
}

/// A known key.
struct Entry {
    name: Words,
    column: ColumnId,
}

impl KeyTable {
    pub(crate) fn new(keys: impl Iterator<Item = (&'static str, ColumnId)>) -> Self {
        let padded = |name: &str| {
            let mut padded = [0; LONGEST];
            padded[..name.len()].copy_from_slice(name.as_bytes());
            words(&padded)
        };
        let entries: Vec<_> = keys.map(|(name, column)| (name.len(), Entry { name: padded(name), column })).collect();
        // Odd multiples of the golden ratio until one spreads the keys without a collision: a few dozen tries, once per
        // process.
        let mut multiplier = 0x9e37_79b9_7f4a_7c15u64;
        loop {
            let mut places = [VACANT; PLACES];
            let free = entries.iter().enumerate().all(|(number, (length, entry))| {
                let place = &mut places[place(entry.name[0], *length, multiplier)];
                std::mem::replace(place, number as u8) == VACANT
            });
            if free {
                return Self { multiplier, places, entries: entries.into_iter().map(|(_, entry)| entry).collect() };
            }
            multiplier = multiplier.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        }
    }

    /// The column of the key `bytes[start..end]`; 32 bytes after its start must be readable.
    #[inline]
    pub(crate) fn find(&self, bytes: &[u8], start: usize, end: usize) -> Option<ColumnId> {
        let length = end - start;
        let [first, second, third, fourth] = words(bytes[start..].first_chunk()?);
        let mask = MASKS.get(length)?;
        let first = first & mask[0];
        let entry = self.entries.get(usize::from(self.places[place(first, length, self.multiplier)]))?;
        // Names have no zeros, so that equal padded names are of equal length. Word by word: `==` of arrays goes
        // through memory.
        let name = &entry.name;
        let difference = (first ^ name[0])
            | (second & mask[1] ^ name[1])
            | (third & mask[2] ^ name[2])
            | (fourth & mask[3] ^ name[3]);
        (difference == 0).then_some(entry.column)
    }
}

/// The beginning of a member as writers that add no space write it, `"name":`, to compare it with text at once.
pub(crate) struct Opening {
    text: Words,
    mask: Words,
    length: usize,
}

impl Opening {
    /// Equal to no text, since that is UTF-8.
    pub(crate) const NONE: Self = Self { text: [u64::MAX; LONGEST / 8], mask: [u64::MAX; LONGEST / 8], length: 0 };

    /// The opening of this name; [`Self::NONE`] if it is too long.
    pub(crate) fn of(name: &str) -> Self {
        let text = format!("\"{name}\":");
        let mut padded = [0; LONGEST];
        let Some(place) = padded.get_mut(..text.len()) else { return Self::NONE };
        place.copy_from_slice(text.as_bytes());
        Self { text: words(&padded), mask: MASKS[text.len()], length: text.len() }
    }

    /// Its length, if `bytes` begin with it.
    #[inline(always)]
    pub(crate) fn begins(&self, bytes: &[u8; LONGEST]) -> Option<usize> {
        let found = words(bytes);
        let difference = (found[0] & self.mask[0] ^ self.text[0])
            | (found[1] & self.mask[1] ^ self.text[1])
            | (found[2] & self.mask[2] ^ self.text[2])
            | (found[3] & self.mask[3] ^ self.text[3]);
        (difference == 0).then_some(self.length)
    }
}

/// A name, padded with zeros.
type Words = [u64; LONGEST / 8];

fn words(bytes: &[u8; LONGEST]) -> Words {
    std::array::from_fn(|word| u64::from_le_bytes(std::array::from_fn(|byte| bytes[8 * word + byte])))
}

/// Masks for the first bytes of a key, by their number.
static MASKS: [Words; LONGEST + 1] = {
    let mut masks = [[0; LONGEST / 8]; LONGEST + 1];
    let mut length = 0;
    while length <= LONGEST {
        let mut byte = 0;
        while byte < length {
            masks[length][byte / 8] |= 0xff << (8 * (byte % 8));
            byte += 1;
        }
        length += 1;
    }
    masks
};

/// The place of a key, by its first eight bytes and its length.
#[inline]
fn place(first: u64, length: usize, multiplier: u64) -> usize {
    ((first ^ length as u64).wrapping_mul(multiplier) >> (u64::BITS - PLACES.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begins(opening: &Opening, text: &str) -> Option<usize> {
        let mut bytes = [0; LONGEST];
        let length = text.len().min(LONGEST);
        bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
        opening.begins(&bytes)
    }

    #[test]
    fn an_opening_begins_the_members_of_its_name() {
        let opening = Opening::of("arn");
        assert_eq!(begins(&opening, r#""arn":"#), Some(6));
        assert_eq!(begins(&opening, r#""arn":"arn:aws:iam::123456789012:root""#), Some(6));
        for other in ["", r#""arn" :1"#, r#""ARN":1"#, r#""arns":1"#, r#""ar":1"#, r#"arn":1"#] {
            assert_eq!(begins(&opening, other), None, "{other}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_has_no_opening() {
        let longest = "n".repeat(LONGEST - 3);
        let text = format!("\"{longest}\":");
        assert_eq!(begins(&Opening::of(&longest), &text), Some(LONGEST));
        assert_eq!(begins(&Opening::of(&(longest + "n")), &text), None);
        assert_eq!(begins(&Opening::NONE, ""), None);
    }
}
