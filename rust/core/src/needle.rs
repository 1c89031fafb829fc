//! Files of filters beside the parts of a lake: which rows of a part may have a value, and which cannot.
//!
//! A filter is of the values that a column has in some rows of a part. It is a Bloom filter in blocks of 32 bytes, as
//! in Parquet: a value belongs to one block, and sets one bit in each of its eight words. So one block is read to tell
//! whether a value may be there, and a value that is there is always found. A filter holds no values, only bits; but
//! who has a value can test for it, so that filters are written anew with the rows that are left.
//!
//! The file begins with a directory, whose meaning is that of its writer, and goes on with the blocks of all filters,
//! in pages. Directory and pages end with a hash: a bit that has changed would hide rows, and is found before it is
//! relied on, without reading the other pages.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::hash::{Pieces, Sha256, sha256};

/// The first bytes of a file: its format, then the length of its directory.
const FORMAT: [u8; 8] = *b"ctfFind1";
const HEAD: usize = FORMAT.len() + size_of::<u32>();
const HASH: usize = size_of::<Sha256>();
/// The most bytes of a directory: that of a part of 256 MB has a few thousand.
const MOST: u64 = 16 << 20;

/// Bytes of a block, of which each 32-bit word has a bit of each value.
const BLOCK: usize = WORDS * size_of::<u32>();
const WORDS: usize = 8;
/// Bits for each value: one in 180 values that are not there is taken for one that may be.
const BITS: usize = 12;
/// Blocks of a page, which has 4 KiB with its hash.
const PAGE: usize = 4096 / BLOCK - HASH / BLOCK;

/// The filter of some values, given one after another: as their text, and where each begins and the last one ends, in
/// numbers of eight bytes. `None` if these are no such places.
///
/// Its size is right if each value is given once.
#[must_use]
pub fn filter(places: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let (places, []) = places.as_chunks() else { return None };
    let place = |place: &[u8; 8]| usize::try_from(u64::from_le_bytes(*place)).ok();
    let number = places.len().saturating_sub(1);
    let mut blocks = vec![0; (number * BITS).div_ceil(8 * BLOCK) * BLOCK];
    for ends in places.windows(2) {
        let value = Value::new(text.get(place(&ends[0])?..place(&ends[1])?)?);
        let start = value.block(blocks.len() / BLOCK) * BLOCK;
        for (there, bit) in blocks[start..start + BLOCK].chunks_exact_mut(4).zip(value.bits()) {
            for (byte, bits) in there.iter_mut().zip(bit.to_le_bytes()) {
                *byte |= bits;
            }
        }
    }
    Some(blocks)
}

/// A file with this directory and these blocks, those of one filter after another.
#[must_use]
pub fn file(directory: &[u8], blocks: &[u8]) -> Vec<u8> {
    let mut file = FORMAT.to_vec();
    file.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    file.extend_from_slice(directory);
    let hash = sha256(&file);
    file.extend_from_slice(&hash);
    for (number, page) in (0..).zip(blocks.chunks(PAGE * BLOCK)) {
        file.extend_from_slice(page);
        file.extend_from_slice(&hash_of(number, page));
    }
    file
}

/// The hash of a page, which is right in one place only.
fn hash_of(number: u64, page: &[u8]) -> Sha256 {
    let mut hash = Pieces::new();
    hash.update(&number.to_le_bytes());
    hash.update(page);
    hash.finish()
}

/// What a filter knows of a value.
struct Value(Sha256);

impl Value {
    fn new(text: &[u8]) -> Self {
        Self(sha256(text))
    }

    /// Its block among so many.
    fn block(&self, blocks: usize) -> usize {
        let place = u64::from_le_bytes(std::array::from_fn(|byte| self.0[byte]));
        ((u128::from(place) * blocks as u128) >> u64::BITS) as usize
    }

    /// Its bit in each word of a block.
    fn bits(&self) -> [u32; WORDS] {
        std::array::from_fn(|word| 1 << (self.0[size_of::<u64>() + word] % 32))
    }

    fn is_in(&self, block: &[u8]) -> bool {
        block
            .chunks_exact(4)
            .zip(self.bits())
            .all(|(there, bit)| there.iter().zip(bit.to_le_bytes()).all(|(byte, bits)| byte & bits == bits))
    }
}

/// An open file of filters.
#[derive(Debug)]
pub struct Filters {
    path: PathBuf,
    file: File,
    directory: Vec<u8>,
    /// Where the pages begin, and how many blocks they have.
    start: u64,
    blocks: u64,
}

impl Filters {
    /// Opens a file, and reads its directory.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is damaged.
    pub fn open(path: &Path) -> io::Result<Self> {
        let about = |error| about(path, &error);
        let file = File::open(path).map_err(about)?;
        let length = file.metadata().map_err(about)?.len();
        let mut head = vec![0; HEAD];
        file.read_exact_at(&mut head, 0).map_err(about)?;
        let (format, of_directory) = head.split_at(FORMAT.len());
        let of_directory = u64::from(of_directory.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)));
        let start = HEAD as u64 + of_directory + HASH as u64;
        if format != FORMAT || of_directory > MOST || start > length {
            return Err(damaged(path));
        }
        let mut rest = vec![0; of_directory as usize + HASH];
        file.read_exact_at(&mut rest, HEAD as u64).map_err(about)?;
        let hash = rest.split_off(of_directory as usize);
        head.extend_from_slice(&rest);
        let of_page = (PAGE * BLOCK + HASH) as u64;
        let (pages, last) = ((length - start) / of_page, (length - start) % of_page);
        let of_last = if last == 0 { Some(0) } else { last.checked_sub(HASH as u64).filter(|bytes| *bytes > 0) };
        match of_last {
            Some(bytes) if bytes % BLOCK as u64 == 0 && sha256(&head)[..] == hash => {
                let blocks = pages * PAGE as u64 + bytes / BLOCK as u64;
                Ok(Self { path: path.to_owned(), file, directory: rest, start, blocks })
            }
            _ => Err(damaged(path)),
        }
    }

    /// Its directory.
    #[must_use]
    pub fn directory(&self) -> &[u8] {
        &self.directory
    }

    /// How many blocks all filters have.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Whether each of these filters may have one of these values. A filter is its first block, and how many it has.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is damaged.
    pub fn find<T: AsRef<str>>(&self, filters: &[(u64, u64)], values: &[T]) -> io::Result<Vec<bool>> {
        let values: Vec<_> = values.iter().map(|value| Value::new(value.as_ref().as_bytes())).collect();
        let mut found = vec![false; filters.len()];
        let mut wanted = Vec::new();
        for (filter, (first, blocks)) in filters.iter().enumerate().filter(|(_, (_, blocks))| *blocks > 0) {
            if first.checked_add(*blocks).is_none_or(|end| end > self.blocks) {
                return Err(damaged(&self.path));
            }
            wanted.extend(values.iter().map(|value| (first + value.block(*blocks as usize) as u64, filter, value)));
        }
        wanted.sort_unstable_by_key(|(block, filter, _)| (*block, *filter));
        let mut page = (None, Vec::new());
        for (block, filter, value) in wanted {
            if found[filter] {
                continue;
            }
            let (number, place) = (block / PAGE as u64, block as usize % PAGE * BLOCK);
            if page.0 != Some(number) {
                page = (Some(number), self.page(number)?);
            }
            found[filter] = value.is_in(&page.1[place..place + BLOCK]);
        }
        Ok(found)
    }

    /// The blocks of a page.
    fn page(&self, number: u64) -> io::Result<Vec<u8>> {
        let before = number * PAGE as u64;
        let blocks = (self.blocks - before).min(PAGE as u64) as usize;
        let mut page = vec![0; blocks * BLOCK + HASH];
        let place = self.start + number * (PAGE * BLOCK + HASH) as u64;
        self.file.read_exact_at(&mut page, place).map_err(|error| about(&self.path, &error))?;
        let hash = page.split_off(blocks * BLOCK);
        if hash_of(number, &page)[..] == hash { Ok(page) } else { Err(damaged(&self.path)) }
    }
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return damaged(path);
    }
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn damaged(path: &Path) -> io::Error {
    let words = format!("{} is no file of filters, a damaged one, or one of a later version", path.display());
    io::Error::new(io::ErrorKind::InvalidData, words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filter_of(values: &[String]) -> Vec<u8> {
        let mut places = 0_u64.to_le_bytes().to_vec();
        let mut text = String::new();
        for value in values {
            text.push_str(value);
            places.extend_from_slice(&(text.len() as u64).to_le_bytes());
        }
        filter(&places, text.as_bytes()).expect("places within the text")
    }

    /// A file of filters, with the place of each.
    fn written(filters: &[Vec<String>]) -> (tempfile::NamedTempFile, Vec<(u64, u64)>) {
        let (mut blocks, mut places) = (Vec::new(), Vec::new());
        for values in filters {
            let filter = filter_of(values);
            places.push(((blocks.len() / BLOCK) as u64, (filter.len() / BLOCK) as u64));
            blocks.extend(filter);
        }
        let place = tempfile::NamedTempFile::new().expect("a disk");
        std::fs::write(place.path(), file(b"what they are of", &blocks)).expect("a disk");
        (place, places)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_there_is_found(
            filters in proptest::collection::vec(proptest::collection::vec(".{0,9}", 0..400), 0..9),
            asked in proptest::collection::vec(".{0,9}", 0..9),
        ) {
            let (file, places) = written(&filters);
            let open = Filters::open(file.path()).expect("a file");
            prop_assert_eq!(open.directory(), b"what they are of");
            for (number, values) in filters.iter().enumerate() {
                for value in values {
                    let mut asked = asked.clone();
                    asked.push(value.clone());
                    prop_assert!(open.find(&places, &asked).expect("a file")[number]);
                }
            }
            prop_assert!(!open.find::<&str>(&places, &[]).expect("a file").contains(&true));
        }
    }

    #[test]
    fn few_of_what_is_not_there_are_taken_for_what_may_be() {
        for number in [1, 20, 300, 40_000] {
            let (file, places) = written(&[(0..number).map(|value| format!("{value}")).collect()]);
            let open = Filters::open(file.path()).expect("a file");
            let is_there = |value: &u32| open.find(&places, &[format!("other {value}")]).expect("a file")[0];
            let found = (0..20_000).filter(is_there).count();
            assert!(found < 200, "{found} of 20,000 among {number}");
        }
    }

    #[test]
    fn each_byte_that_has_changed_is_noticed() {
        let values: Vec<_> = (0..9).map(|filter| (0..300).map(|value| format!("{filter} {value}")).collect()).collect();
        let (place, places) = written(&values);
        let whole = std::fs::read(place.path()).expect("a file");
        assert!(whole.len() > 4096, "one page only");
        let asked: Vec<_> = (0..90).map(|value| format!("x {value}")).collect();
        let answer = |bytes: &[u8]| {
            std::fs::write(place.path(), bytes).expect("a disk");
            Filters::open(place.path()).and_then(|open| open.find(&places, &asked)).map_err(|error| error.to_string())
        };
        assert!(answer(&whole).is_ok());
        for byte in 0..whole.len() {
            let mut changed = whole.clone();
            changed[byte] ^= 1 << (byte % 8);
            let error = answer(&changed).expect_err("damage");
            assert!(error.ends_with("is no file of filters, a damaged one, or one of a later version"), "{error}");
        }
        for length in (0..whole.len()).step_by(7) {
            assert!(answer(&whole[..length]).is_err(), "{length}");
        }
        assert!(answer(&[&whole[..], b"x"].concat()).is_err());
    }

    #[test]
    fn places_outside_of_the_text_are_refused() {
        let places = |ends: &[u64]| ends.iter().flat_map(|end| end.to_le_bytes()).collect::<Vec<_>>();
        assert!(filter(&places(&[0, 1, 3]), b"abc").is_some());
        assert_eq!(filter(&[], b""), Some(Vec::new()));
        for wrong in [&places(&[0, 4])[..], &places(&[2, 1]), &places(&[0, u64::MAX]), b"abc"] {
            assert_eq!(filter(wrong, b"abc"), None);
        }
    }
}
