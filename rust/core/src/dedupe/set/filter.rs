//! Bloom filters: which keys a run may have.

use super::super::key::Key;

/// Bits per event, of which three are set: about one in eleven absent events seems to be present.
const BITS: u64 = 5;

/// A Bloom filter of events: an event that it does not know is absent.
pub(super) struct Filter(Vec<u64>);

impl Filter {
    /// Bytes of a filter for this many events.
    pub(super) fn bytes_for(events: u64) -> usize {
        (events * BITS).div_ceil(u64::from(u64::BITS)) as usize * size_of::<u64>()
    }

    /// A filter of this many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self(vec![0; bytes.div_ceil(size_of::<u64>())])
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    /// Three places, taken from the key itself: its bits are those of a hash.
    fn places(&self, key: Key) -> [usize; 3] {
        let (first, second, bits) = (key.word(0), key.word(1), u128::from(u64::BITS) * self.0.len() as u128);
        let words = [second, second.rotate_left(21) ^ first, second.rotate_left(42) ^ first.rotate_left(32)];
        words.map(|word| ((u128::from(word) * bits) >> u64::BITS) as usize)
    }

    pub(super) fn put(&mut self, key: Key) {
        for place in self.places(key) {
            self.0[place / 64] |= 1 << (place % 64);
        }
    }

    pub(super) fn knows(&self, key: Key) -> bool {
        self.places(key).iter().all(|place| self.0[place / 64] >> (place % 64) & 1 == 1)
    }
}
