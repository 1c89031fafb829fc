//! The latest keys, in memory.

use super::super::key::Key;
use super::found::Found;

/// The initial number of places.
const FIRST: usize = 256;

/// An open-addressing hash table: a key is at the place that its first bits name, or at the next free one.
pub(super) struct Table {
    /// The key of zeros, which no hash is, marks a free place.
    places: Vec<Key>,
    keys: usize,
    /// The most places.
    most: usize,
}

impl Table {
    /// A table of at most this many places, a power of two.
    pub(super) fn new(most: usize) -> Self {
        assert!(most.is_power_of_two() && most > 1, "places are named by bits");
        Self { places: vec![Key::default(); FIRST.min(most)], keys: 0, most }
    }

    fn place(&self, key: Key) -> usize {
        (key.word(0) >> (u64::BITS - self.places.len().trailing_zeros())) as usize
    }

    pub(super) fn find(&self, key: Key) -> Found {
        let (mut place, mut others) = (self.place(key), 0);
        loop {
            let there = self.places[place];
            if there == Key::default() {
                return Found::Others(others);
            }
            if there == key {
                return Found::Key;
            }
            others += usize::from(there.event() == key.event());
            place = (place + 1) % self.places.len();
        }
    }

    /// Adds a key that is not in the table. The table must not be full.
    pub(super) fn put(&mut self, key: Key) {
        if self.keys >= self.room() && self.places.len() < self.most {
            let places = vec![Key::default(); 2 * self.places.len()];
            let before = std::mem::replace(&mut self.places, places);
            self.keys = 0;
            before.into_iter().filter(|key| *key != Key::default()).for_each(|key| self.put(key));
        }
        let mut place = self.place(key);
        while self.places[place] != Key::default() {
            place = (place + 1) % self.places.len();
        }
        self.places[place] = key;
        self.keys += 1;
    }

    /// Three quarters of the places: then finding a free one takes a few steps.
    fn room(&self) -> usize {
        self.places.len() / 4 * 3
    }

    /// Whether no other key should be added.
    pub(super) fn is_full(&self) -> bool {
        self.places.len() == self.most && self.keys >= self.room()
    }

    pub(super) fn keys(&self) -> usize {
        self.keys
    }

    /// The keys, sorted in place. The table must be cleared afterwards.
    pub(super) fn sorted(&mut self) -> &[Key] {
        self.places.sort_unstable();
        &self.places[self.places.len() - self.keys..]
    }

    pub(super) fn clear(&mut self) {
        self.places.fill(Key::default());
        self.keys = 0;
    }

    /// Bytes of the table at its largest.
    #[cfg(test)]
    pub(super) fn most_bytes(&self) -> usize {
        self.most * size_of::<Key>()
    }
}
