//! Keys on disk, in order: in unnamed files, which disappear with the process, however that ends.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::super::key::{KEY, Key};
use super::filter::Filter;
use super::found::Found;
use crate::bounds::{DEDUPE_INDEX, DEDUPE_READ};

/// Keys that are read at once to look one up: a page.
const PAGE: usize = 128;

pub(super) struct Run {
    file: Arc<File>,
    length: u64,
    /// The first bits of each block's first key.
    index: Vec<u64>,
    /// Keys per block.
    block: u64,
    filter: Option<Filter>,
}

impl Run {
    /// Writes keys, which must be in order.
    pub(super) fn write(keys: &[Key], filter: Option<Filter>) -> io::Result<Self> {
        let mut writer = Writer::new(keys.len() as u64, filter)?;
        keys.iter().try_for_each(|key| writer.put(*key))?;
        writer.finish()
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn filter_bytes(&self) -> usize {
        self.filter.as_ref().map_or(0, Filter::bytes)
    }

    /// How many blocks begin with lower bits. Bits of hashes are spread evenly, so the answer is a few blocks from the
    /// interpolated place.
    fn blocks_before(&self, bits: u64) -> usize {
        let mut blocks = ((u128::from(bits) * self.index.len() as u128) >> u64::BITS) as usize;
        while self.index.get(blocks).is_some_and(|first| *first < bits) {
            blocks += 1;
        }
        while blocks > 0 && self.index[blocks - 1] >= bits {
            blocks -= 1;
        }
        blocks
    }

    /// Looks up a key among the keys of its event.
    pub(super) fn find(&self, key: Key) -> io::Result<Found> {
        if self.filter.as_ref().is_some_and(|filter| !filter.knows(key)) {
            return Ok(Found::Others(0));
        }
        let least = key.least();
        let mut page = [0; PAGE * KEY];
        // Keys before the last block that begins with lower bits come before the event.
        let blocks = self.blocks_before(key.word(0)) as u64;
        let (mut low, mut high) = (blocks.saturating_sub(1) * self.block, (blocks * self.block).min(self.length));
        while high - low > PAGE as u64 {
            let middle = low.midpoint(high);
            let there = read(&self.file, middle, &mut page[..KEY])?[0];
            if Key(there) < least { low = middle } else { high = middle }
        }
        let mut others = 0;
        while low < self.length {
            let count = (PAGE as u64).min(self.length - low);
            let keys = read(&self.file, low, &mut page[..count as usize * KEY])?;
            for there in &keys[keys.partition_point(|there| Key(*there) < least)..] {
                let there = Key(*there);
                if there == key {
                    return Ok(Found::Key);
                }
                if there.event() != key.event() {
                    return Ok(Found::Others(others));
                }
                others += 1;
            }
            low += count;
        }
        Ok(Found::Others(others))
    }
}

/// Reads the keys from a place on, as many as there is room for.
fn read<'a>(file: &File, from: u64, room: &'a mut [u8]) -> io::Result<&'a [[u8; KEY]]> {
    file.read_exact_at(room, from * KEY as u64)?;
    Ok(room.as_chunks().0)
}

/// A run that is being written.
struct Writer {
    file: BufWriter<File>,
    written: u64,
    index: Vec<u64>,
    block: u64,
    filter: Option<Filter>,
}

impl Writer {
    /// Starts a run of `length` keys.
    fn new(length: u64, filter: Option<Filter>) -> io::Result<Self> {
        let block = length.div_ceil(DEDUPE_INDEX as u64).max(PAGE as u64);
        let file = BufWriter::with_capacity(DEDUPE_READ, tempfile::tempfile()?);
        Ok(Self { file, written: 0, index: Vec::with_capacity(length.div_ceil(block) as usize), block, filter })
    }

    fn put(&mut self, key: Key) -> io::Result<()> {
        if self.written.is_multiple_of(self.block) {
            self.index.push(key.word(0));
        }
        if let Some(filter) = &mut self.filter {
            filter.put(key);
        }
        self.written += 1;
        self.file.write_all(&key.0)
    }

    fn finish(self) -> io::Result<Run> {
        let Self { file, written: length, index, block, filter } = self;
        let file = Arc::new(file.into_inner().map_err(io::IntoInnerError::into_error)?);
        Ok(Run { file, length, index, block, filter })
    }
}

/// Runs that are being merged into one.
pub(super) struct Merge {
    sources: Vec<Source>,
    writer: Writer,
}

/// The rest of a run that is being merged.
struct Source {
    file: Arc<File>,
    /// The next keys, in reverse order.
    keys: Vec<Key>,
    at: u64,
    length: u64,
}

impl Merge {
    /// Starts merging these runs, which are not changed.
    pub(super) fn new<'a>(runs: impl Iterator<Item = &'a Run>, filter: Option<Filter>) -> io::Result<Self> {
        let source = |run: &Run| Source { file: Arc::clone(&run.file), keys: Vec::new(), at: 0, length: run.length };
        let mut sources: Vec<_> = runs.map(source).collect();
        sources.iter_mut().try_for_each(Source::fill)?;
        let writer = Writer::new(sources.iter().map(|source| source.length).sum(), filter)?;
        Ok(Self { sources, writer })
    }

    pub(super) fn filter_bytes(&self) -> usize {
        self.writer.filter.as_ref().map_or(0, Filter::bytes)
    }

    /// Merges up to this many keys, and returns whether all are merged.
    pub(super) fn go_on(&mut self, keys: u64) -> io::Result<bool> {
        for _ in 0..keys {
            self.sources.retain(|source| !source.keys.is_empty());
            let Some(source) = self.sources.iter_mut().min_by_key(|source| source.keys.last().copied()) else {
                return Ok(true);
            };
            if let Some(key) = source.keys.pop() {
                self.writer.put(key)?;
            }
            source.fill()?;
        }
        Ok(false)
    }

    pub(super) fn finish(self) -> io::Result<Run> {
        self.writer.finish()
    }
}

impl Source {
    /// Reads more keys, if all that were read are used.
    fn fill(&mut self) -> io::Result<()> {
        let count = ((DEDUPE_READ / KEY) as u64).min(self.length - self.at);
        if self.keys.is_empty() && count > 0 {
            let mut bytes = vec![0; count as usize * KEY];
            self.keys.extend(read(&self.file, self.at, &mut bytes)?.iter().rev().map(|key| Key(*key)));
            self.at += count;
        }
        Ok(())
    }
}
