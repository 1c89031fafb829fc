//! A set of keys in bounded memory: the latest in a table, the other ones in sorted runs on disk.
//!
//! Each key must be looked up before the next one is added. Most keys are new, and one filter of all keys on disk
//! identifies most of these. For the remaining keys, filters of single runs show which runs may have them, and within a
//! run the position of a key is known to about a page. Beyond some 30 million keys there is no room for more filters of
//! runs; runs without a filter are read. Eight runs of one size become one of the next, a little with each added key,
//! so that no key waits for long and a key is copied only as often as the number of sizes.
//!
//! Measured with `cargo run --release --features fuzzing --example events -- 50000000 21` on a busy machine: 50 million
//! new events took 2.6 µs of CPU each, 10.5 million copies of the oldest of them 5 µs each. The process had 74 MB of
//! memory at its peak.

mod filter;
mod found;
mod run;
mod table;

use std::collections::VecDeque;
use std::io;

use super::key::Key;
use filter::Filter;
use found::Found;
use run::{Merge, Run};
use table::Table;

use crate::bounds::{CONTENTS, DEDUPE_FILTERS, DEDUPE_TABLE};

/// How a key relates to the earlier keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The first key of its event.
    First,
    /// Its event was seen, with the same content.
    Copy,
    /// Its event was seen, with other content only.
    Other,
}

/// Number of runs of one size that are merged into one of the next.
const FAN: usize = 8;
/// Keys of each size that are merged per added key: a merge ends in a quarter of the time until the runs of the next
/// merge are there.
const PACE: u64 = 4 * FAN as u64;

pub(crate) struct Set {
    table: Table,
    /// Runs of the table's size, of eight times that, and so on.
    sizes: Vec<Size>,
    /// The filter of all keys in runs; `None` before there are any.
    spilled: Option<Filter>,
    /// Bytes of that filter, and the most bytes of the filters of all single runs together.
    filters: usize,
}

/// Runs of about one size.
#[derive(Default)]
struct Size {
    /// Oldest first.
    runs: VecDeque<Run>,
    /// The merge of the oldest runs, which stay in place until it has ended.
    merge: Option<Merge>,
}

impl Default for Set {
    fn default() -> Self {
        Self::new(DEDUPE_TABLE, DEDUPE_FILTERS)
    }
}

impl Set {
    /// A set whose table has `table` bytes, a power of two; the filter of all runs has `filters` bytes, and the filters
    /// of single runs together at most as many.
    pub(super) fn new(table: usize, filters: usize) -> Self {
        Self { table: Table::new(table / size_of::<Key>()), sizes: Vec::new(), spilled: None, filters }
    }

    /// Adds a key, and returns how it relates to the earlier ones.
    pub(crate) fn put(&mut self, key: Key) -> io::Result<Seen> {
        let others = match self.find(key)? {
            Found::Key => return Ok(Seen::Copy),
            Found::Others(others) => others,
        };
        // An id whose records all say different things is not an id. Each of its records would be compared with all
        // earlier ones.
        if others < CONTENTS {
            self.table.put(key);
            if self.table.is_full() {
                self.spill()?;
            }
        }
        for size in 0..self.sizes.len() {
            self.merge(size)?;
        }
        Ok(if others == 0 { Seen::First } else { Seen::Other })
    }

    fn find(&self, key: Key) -> io::Result<Found> {
        let mut others = match self.table.find(key) {
            Found::Key => return Ok(Found::Key),
            Found::Others(others) => others,
        };
        if self.spilled.as_ref().is_some_and(|spilled| spilled.knows(key)) {
            // Most keys are in the largest runs.
            for run in self.sizes.iter().rev().flat_map(|size| &size.runs) {
                match run.find(key)? {
                    Found::Key => return Ok(Found::Key),
                    Found::Others(more) => others += more,
                }
            }
        }
        Ok(Found::Others(others))
    }

    /// Writes the table to disk, as a run.
    fn spill(&mut self) -> io::Result<()> {
        let filter = self.filter(self.table.keys() as u64, None);
        let spilled = self.spilled.get_or_insert_with(|| Filter::new(self.filters));
        let keys = self.table.sorted();
        for key in keys {
            spilled.put(*key);
        }
        let run = Run::write(keys, filter)?;
        self.table.clear();
        self.add(0, run);
        Ok(())
    }

    fn add(&mut self, size: usize, run: Run) {
        if self.sizes.len() == size {
            self.sizes.push(Size::default());
        }
        self.sizes[size].runs.push_back(run);
    }

    /// A filter for this many keys, if there is room for it once the filters of the oldest runs of size `merged` are
    /// dropped.
    fn filter(&self, keys: u64, merged: Option<usize>) -> Option<Filter> {
        let stays = |(number, size): (usize, &Size)| {
            let runs = size.runs.iter().skip(if merged == Some(number) { FAN } else { 0 });
            runs.map(Run::filter_bytes).sum::<usize>() + size.merge.as_ref().map_or(0, Merge::filter_bytes)
        };
        let others: usize = self.sizes.iter().enumerate().map(stays).sum();
        let bytes = Filter::bytes_for(keys);
        (others + bytes <= self.filters).then(|| Filter::new(bytes))
    }

    /// Merges some keys, if a size has enough runs.
    fn merge(&mut self, size: usize) -> io::Result<()> {
        let Size { runs, merge } = &self.sizes[size];
        if merge.is_none() && runs.len() >= FAN {
            let filter = self.filter(runs.iter().take(FAN).map(Run::length).sum(), Some(size));
            self.sizes[size].merge = Some(Merge::new(runs.iter().take(FAN), filter)?);
        }
        let Size { runs, merge } = &mut self.sizes[size];
        if let Some(under_way) = merge
            && under_way.go_on(PACE)?
            && let Some(merge) = merge.take()
        {
            runs.drain(..FAN);
            self.add(size + 1, merge.finish()?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// A key of a small domain, whose parts are spread like a hash.
    fn key(event: u16, content: u8) -> Key {
        let words = [event, event + 1, content.into(), content.into()].map(|number| {
            let word = u64::from(number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            word.to_be_bytes()
        });
        Key(std::array::from_fn(|byte| words[byte / 8][byte % 8]))
    }

    /// The expected answers of the set, by the rules alone.
    #[derive(Default)]
    struct Oracle(HashMap<u16, Vec<u8>>);

    impl Oracle {
        fn put(&mut self, event: u16, content: u8) -> Seen {
            let contents = self.0.entry(event).or_default();
            if contents.contains(&content) {
                return Seen::Copy;
            }
            let seen = if contents.is_empty() { Seen::First } else { Seen::Other };
            if contents.len() < CONTENTS {
                contents.push(content);
            }
            seen
        }
    }

    fn agree(set: &mut Set, keys: impl IntoIterator<Item = (u16, u8)>) {
        let mut oracle = Oracle::default();
        for (number, (event, content)) in keys.into_iter().enumerate() {
            let seen = set.put(key(event, content)).expect("a disk");
            assert_eq!(seen, oracle.put(event, content), "key {number}: {event} {content}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_set_says_what_a_map_says(keys in proptest::collection::vec((0..300u16, 0..3u8), 0..4000)) {
            agree(&mut Set::new(1024, 64), keys);
        }
    }

    #[test]
    fn what_was_spilled_and_merged_is_found() {
        let mut set = Set::new(1024, 8 << 10);
        let twice = (0..20_000).chain(0..20_000).map(|event| (event, 0));
        agree(&mut set, twice);
        assert!(set.sizes.len() > 3, "merges of merges: {}", set.sizes.len());
        assert!(set.sizes.iter().all(|size| size.runs.len() < 2 * FAN), "merges keep up");
        let filters: Vec<_> = set.sizes.iter().flat_map(|size| size.runs.iter().map(Run::filter_bytes)).collect();
        assert!(filters.contains(&0) && filters.iter().any(|bytes| *bytes > 0), "room for some: {filters:?}");
        assert!(filters.into_iter().sum::<usize>() <= 8 << 10);
    }

    #[test]
    fn an_id_that_everything_has_does_not_hold_things_up() {
        agree(&mut Set::new(1024, 64), (0..20_000u32).map(|number| (0, (number % 251) as u8)));
    }

    #[test]
    fn the_default_has_what_its_bounds_say() {
        let set = Set::default();
        assert_eq!((set.table.most_bytes(), set.filters), (DEDUPE_TABLE, DEDUPE_FILTERS));
    }
}
