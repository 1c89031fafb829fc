//! Files of keys beside the files of a lake: which rows say the same as earlier ones, across runs and years.
//!
//! A file has its keys in order, each with the number of its row. New files are merged, and each key is looked up in
//! the known files, by a position in each that only moves forward: reading on where keys are near, bisecting where they
//! are far. So a large commit reads each known file once, in order; and a small one reads a few pages of each. Memory
//! is a buffer for each file, whatever their sizes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::key::{KEY, Key};

/// The first bytes of a file: its format, then the number of its keys.
const FORMAT: [u8; 8] = *b"ctfKeys1";
const HEAD: usize = FORMAT.len() + size_of::<u64>();
/// A key and the number of its row.
const ENTRY: usize = KEY + size_of::<u32>();
/// Entries that are read at once: 36 KiB.
const PAGE: usize = 1024;
/// Entries that are looked at one by one before a page is bisected: in files of about one size, the next is near.
const NEAR: usize = 4;

/// The number of a file, and of a row in it.
type Row = (u32, u32);

/// A row that says the same as an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copy {
    /// The later row.
    pub row: Row,
    /// The earlier one.
    pub of: Row,
}

/// What is known of new rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Rows that say the same as an earlier one.
    pub copies: Vec<Copy>,
    /// The number of the other rows whose event has an earlier row, which says something else.
    pub differ: u64,
}

/// A file of these keys, of 32 bytes each, in the order of their rows.
#[must_use]
pub fn sorted(keys: &[u8]) -> Vec<u8> {
    let (keys, _) = keys.as_chunks::<KEY>();
    let mut entries: Vec<_> = (0_u32..).zip(keys).map(|(row, key)| (key, row)).collect();
    entries.sort_unstable();
    let mut file = Vec::with_capacity(HEAD + entries.len() * ENTRY);
    file.extend_from_slice(&FORMAT);
    file.extend_from_slice(&(entries.len() as u64).to_le_bytes());
    for (key, row) in entries {
        file.extend_from_slice(key);
        file.extend_from_slice(&row.to_le_bytes());
    }
    file
}

/// The same file of keys after these rows were dropped, which are in ascending order; `None` if it is no file of keys.
#[must_use]
pub fn without(file: &[u8], dropped: &[u32]) -> Option<Vec<u8>> {
    let (head, entries) = file.split_at_checked(HEAD)?;
    let (entries, []) = entries.as_chunks::<ENTRY>() else { return None };
    let left = entries.iter().map(entry).filter_map(|(key, row)| {
        let before = dropped.binary_search(&row).err()?;
        Some((key, row - before as u32))
    });
    let mut file = head.to_vec();
    for (key, row) in left {
        file.extend_from_slice(&key.0);
        file.extend_from_slice(&row.to_le_bytes());
    }
    let length = ((file.len() - HEAD) / ENTRY) as u64;
    file[FORMAT.len()..HEAD].copy_from_slice(&length.to_le_bytes());
    head.starts_with(&FORMAT).then_some(file)
}

/// Compares the rows of new files with those of known ones, and with each other: the first row of an event stays, by
/// the order of the files. Files are numbered from the first known to the last new one.
///
/// # Errors
///
/// A file cannot be read, or is no file of keys.
pub fn repeated(known: &[PathBuf], new: &[PathBuf]) -> io::Result<Repeated> {
    let open = |paths| <[PathBuf]>::iter(paths).map(|path| Cursor::open(path)).collect::<io::Result<Vec<_>>>();
    let (mut known, mut new) = (open(known)?, open(new)?);
    let number = |file: usize| u32::try_from(file).unwrap_or(u32::MAX);
    let mut next = BinaryHeap::new();
    for (file, cursor) in new.iter().enumerate() {
        next.extend(cursor.entry().map(|(key, row)| Reverse((key, file, row))));
    }
    let mut found = Repeated::default();
    // The last key, where it is from, and whether its event has a row that stays.
    let mut last: Option<(Key, Row)> = None;
    let mut is_known = false;
    while let Some(Reverse((key, file, row))) = next.pop() {
        let here = (number(known.len() + file), row);
        new[file].advance()?;
        next.extend(new[file].entry().map(|(key, row)| Reverse((key, file, row))));
        if let Some((before, of)) = last
            && before == key
        {
            found.copies.push(Copy { row: here, of });
            continue;
        }
        if last.is_none_or(|(before, _)| before.event() != key.event()) {
            is_known = false;
            for cursor in &mut known {
                cursor.seek(key.least())?;
                is_known |= cursor.entry().is_some_and(|(there, _)| there.event() == key.event());
            }
        }
        let mut of = None;
        for (file, cursor) in known.iter_mut().enumerate() {
            if is_known && of.is_none() {
                cursor.seek(key)?;
                of = cursor.entry().filter(|(there, _)| *there == key).map(|(_, row)| (number(file), row));
            }
        }
        if let Some(of) = of {
            found.copies.push(Copy { row: here, of });
        } else {
            found.differ += u64::from(is_known);
            is_known = true;
        }
        last = Some((key, of.unwrap_or(here)));
    }
    Ok(found)
}

/// A place in a file of keys, which only moves forward.
///
/// The file is opened for each page: a lake that is followed has more files than a process may have open.
struct Cursor<'a> {
    path: &'a Path,
    length: u64,
    /// The entries from `start` on, as they are in the file, and which of them is next.
    page: Vec<u8>,
    start: u64,
    next: usize,
}

impl<'a> Cursor<'a> {
    fn open(path: &'a Path) -> io::Result<Self> {
        let file = File::open(path).map_err(|error| about(path, &error))?;
        let mut head = [0; HEAD];
        let read = file.read_exact_at(&mut head, 0);
        let (format, length) = head.split_at(FORMAT.len());
        let length = length.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte));
        let bytes = length.checked_mul(ENTRY as u64).and_then(|bytes| bytes.checked_add(HEAD as u64));
        if read.is_err() || format != FORMAT || bytes != Some(file.metadata()?.len()) {
            return Err(damaged(path));
        }
        let mut cursor = Self { path, length, page: Vec::new(), start: 0, next: 0 };
        cursor.read(0)?;
        Ok(cursor)
    }

    /// The entry at the cursor; `None` at the end.
    fn entry(&self) -> Option<(Key, u32)> {
        self.on_page(self.next)
    }

    fn on_page(&self, number: usize) -> Option<(Key, u32)> {
        let (entries, _) = self.page.as_chunks::<ENTRY>();
        entries.get(number).map(entry)
    }

    fn advance(&mut self) -> io::Result<()> {
        let before = self.entry();
        self.next += 1;
        if self.next == self.page.len() / ENTRY {
            self.read(self.start + self.next as u64)?;
        }
        if self.entry().is_some_and(|there| Some(there) <= before) { Err(damaged(self.path)) } else { Ok(()) }
    }

    /// Moves to the first entry from here on whose key is not less than this one.
    fn seek(&mut self, key: Key) -> io::Result<()> {
        let last = self.page.len() / ENTRY;
        if last == 0 || self.entry().is_none_or(|(there, _)| there >= key) {
            return Ok(());
        }
        if self.on_page(last - 1).is_some_and(|(there, _)| there < key) {
            let after = self.start + last as u64;
            let page = self.first_page(after, key)?;
            self.read(page)?;
        }
        let (entries, _) = self.page.as_chunks::<ENTRY>();
        let is_before = |there: &[u8; ENTRY]| there[..KEY] < key.0[..];
        let left = &entries[self.next..];
        let near = left.iter().take(NEAR).take_while(|there| is_before(there)).count();
        self.next += if near < NEAR { near } else { near + left[near..].partition_point(is_before) };
        Ok(())
    }

    /// An entry from `low` on with at most a page between it and the first one whose key is not less than this one.
    fn first_page(&self, mut low: u64, key: Key) -> io::Result<u64> {
        let mut high = self.length;
        // Keys are hashes: this one is near the interpolated place, by some multiple of the root of their number.
        let place = ((u128::from(key.word(0)) * u128::from(self.length)) >> u64::BITS) as u64;
        let near = self.length.isqrt() * 2;
        for probe in [place.saturating_sub(near), place.saturating_add(near)] {
            if low < probe && probe < high {
                if self.key(probe)? < key { low = probe } else { high = probe }
            }
        }
        while high - low > PAGE as u64 / 2 {
            let middle = low.midpoint(high);
            if self.key(middle)? < key { low = middle } else { high = middle }
        }
        Ok(low)
    }

    fn key(&self, number: u64) -> io::Result<Key> {
        let mut bytes = [0; ENTRY];
        self.read_at(&mut bytes, number)?;
        Ok(entry(&bytes).0)
    }

    fn read(&mut self, start: u64) -> io::Result<()> {
        let entries = (PAGE as u64).min(self.length - start) as usize;
        let mut page = std::mem::take(&mut self.page);
        page.resize(entries * ENTRY, 0);
        self.read_at(&mut page, start)?;
        (self.page, self.start, self.next) = (page, start, 0);
        Ok(())
    }

    fn read_at(&self, room: &mut [u8], number: u64) -> io::Result<()> {
        let place = HEAD as u64 + number * ENTRY as u64;
        File::open(self.path).and_then(|file| file.read_exact_at(room, place)).map_err(|error| about(self.path, &error))
    }
}

fn entry(bytes: &[u8; ENTRY]) -> (Key, u32) {
    let (key, row) = bytes.split_at(KEY);
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
    (key.first_chunk().map_or_else(Key::default, |key| Key(*key)), number(row))
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn damaged(path: &Path) -> io::Error {
    let words = format!("{} is no file of keys, a damaged one, or one of a later version", path.display());
    io::Error::new(io::ErrorKind::InvalidData, words)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    /// A key of a small domain, whose events are spread like hashes.
    fn key(event: u16, content: u8) -> [u8; KEY] {
        let word = |number: u16| u64::from(number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let words = [word(event), word(event), u64::from(content), 0].map(u64::to_be_bytes);
        std::array::from_fn(|byte| words[byte / 8][byte % 8])
    }

    type Rows = Vec<(u16, u8)>;

    fn found(known: &[Rows], new: &[Rows]) -> Repeated {
        let folder = tempfile::tempdir().expect("a folder");
        let written = |rows: &Rows, number: usize| {
            let path = folder.path().join(number.to_string());
            let keys: Vec<_> = rows.iter().flat_map(|(event, content)| key(*event, *content)).collect();
            std::fs::write(&path, sorted(&keys)).expect("a disk");
            path
        };
        let paths: Vec<_> = known.iter().chain(new).enumerate().map(|(number, rows)| written(rows, number)).collect();
        repeated(&paths[..known.len()], &paths[known.len()..]).expect("files of keys")
    }

    /// The rows that are copies and the number of those that differ, by the rules alone.
    fn expected(known: &[Rows], new: &[Rows]) -> (BTreeSet<Row>, u64) {
        let mut contents = BTreeMap::<u16, BTreeSet<u8>>::new();
        let (mut copies, mut differ) = (BTreeSet::new(), 0);
        for (file, rows) in known.iter().chain(new).enumerate() {
            for (row, (event, content)) in rows.iter().enumerate() {
                let others = contents.entry(*event).or_default();
                let had_others = !others.is_empty();
                let is_copy = !others.insert(*content);
                if file >= known.len() {
                    copies.extend(is_copy.then_some((file as u32, row as u32)));
                    differ += u64::from(!is_copy && had_others);
                }
            }
        }
        (copies, differ)
    }

    fn agree(known: &[Rows], new: &[Rows]) {
        let found = found(known, new);
        let rows: BTreeSet<_> = found.copies.iter().map(|copy| copy.row).collect();
        assert_eq!(rows.len(), found.copies.len());
        assert_eq!((rows, found.differ), expected(known, new));
        let said = |(file, row): Row| known.iter().chain(new).nth(file as usize).expect("a file")[row as usize];
        for Copy { row, of } in found.copies {
            assert_eq!(said(row), said(of));
            assert!(of < row);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn copies_are_those_of_a_map(
            known in proptest::collection::vec(proptest::collection::vec((0..60u16, 0..3u8), 0..80), 0..4),
            new in proptest::collection::vec(proptest::collection::vec((0..60u16, 0..3u8), 0..80), 0..4),
        ) {
            agree(&known, &new);
        }
    }

    #[test]
    fn many_are_found_among_many_and_few_among_many() {
        let all: Rows = (0..20_000).map(|event| (event, 0)).collect();
        let few: Rows = (0..20).map(|event| (event * 1_777, (event % 2) as u8)).collect();
        agree(&[all.clone(), few.clone()], std::slice::from_ref(&few));
        agree(&[few], &[all.iter().rev().copied().collect(), all]);
    }

    #[test]
    fn an_id_that_everything_has_does_not_hold_things_up() {
        let all: Rows = (0..20_000_u32).map(|number| (0, (number % 251) as u8)).collect();
        agree(std::slice::from_ref(&all), std::slice::from_ref(&all));
    }

    #[test]
    fn rows_that_are_left_keep_their_keys() {
        let keys: Vec<_> = (0..50).map(|event| key(event * 7 % 50, 0)).collect();
        let dropped = [0, 3, 4, 49];
        let left: Vec<_> = (0..50).filter(|row| !dropped.contains(row)).flat_map(|row| keys[row as usize]).collect();
        assert_eq!(without(&sorted(&keys.concat()), &dropped), Some(sorted(&left)));
        assert_eq!(without(b"PAR1", &dropped), None);
    }

    #[test]
    fn what_is_no_file_of_keys_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys");
        let whole = sorted(&[key(1, 0), key(2, 0)].concat());
        let mut turned = whole.clone();
        turned[HEAD..].rotate_left(ENTRY);
        for (bytes, is_right) in
            [(&whole[..], true), (&whole[..whole.len() - 1], false), (&turned, false), (b"", false), (b"PAR1", false)]
        {
            std::fs::write(&path, bytes).expect("a disk");
            let error = repeated(&[], std::slice::from_ref(&path)).err();
            assert_eq!(error.is_none(), is_right, "{error:?}");
            assert!(error.is_none_or(|error| error.to_string().contains("keys")));
        }
    }
}
