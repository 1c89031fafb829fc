//! Which keys a run may have.

use super::super::key::Key;

/// Bits for each event, of which three are set: about one in eleven that are not there seems to be.
const BITS: u64 = 5;

/// A Bloom filter of events: what it does not know is not there.
pub(super) struct Filter(Vec<u64>);

impl Filter {
    /// Bytes of one for so many events.
    pub(super) fn bytes_for(events: u64) -> usize {
        (events * BITS).div_ceil(u64::from(u64::BITS)) as usize * size_of::<u64>()
    }

    /// Of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self(vec![0; bytes.div_ceil(size_of::<u64>())])
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    /// Three places: all bits of a hash are as good as those of another one.
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
