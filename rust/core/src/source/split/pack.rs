//! Files of a split in few bytes: of each key, only what it does not share with the previous key is stored.
//!
//! Keys, sizes, `ETag`s and times are in separate sections, which deflate makes small: of a CloudTrail key little more
//! is left than its 16 random letters.

use std::io::{BufReader, Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::bounds::{SPLIT_FILE, SPLIT_TEXT};
use crate::hash::{hex, unhex};

/// A file of a split: its path or address, and the version that was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The value of the column `file`.
    pub key: String,
    /// Bytes, if the source of the key knows the size.
    pub size: Option<u64>,
    /// The `ETag` of this version, as the store gave it.
    pub etag: Option<String>,
    /// The time of its last change, in microseconds since 1970, if it has no `ETag`.
    pub modified: Option<i64>,
}

/// The files of a split, in few bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The packed members.
    pub bytes: Vec<u8>,
    /// Number of files.
    pub files: u64,
}

/// What is known about a file, as bits.
const SIZE: u8 = 1;
const MODIFIED: u8 = 2;
/// An `ETag` of 32 hexadecimal digits in quotes, and any other `ETag`.
const MD5: u8 = 4;
const TAG: u8 = 8;

/// The sections. Of a key: the lengths that it shares with the beginning and the end of the previous key, and the text
/// between. Then what is known about the file.
const HEADS: usize = 0;
const FEET: usize = 1;
const LENGTHS: usize = 2;
const MIDDLES: usize = 3;
const KNOWN: usize = 4;
const SIZES: usize = 5;
const TAGS: usize = 6;
const TIMES: usize = 7;
const SECTIONS: usize = 8;

/// Packed members, one after another.
#[derive(Debug, Default, Clone)]
pub(super) struct Series {
    sections: [Vec<u8>; SECTIONS],
    members: u64,
    key: String,
    time: i64,
}

impl Series {
    pub(super) fn len(&self) -> u64 {
        self.members
    }

    pub(super) fn push(&mut self, member: &Member) {
        let (key, last) = (member.key.as_bytes(), self.key.as_bytes());
        let head = shared(key.iter(), last.iter());
        let foot = shared(key[head..].iter().rev(), last[head..].iter().rev());
        let middle = &key[head..key.len() - foot];
        let etag = member.etag.as_deref();
        let md5 = etag.and_then(md5);
        number(&mut self.sections[HEADS], head as u64);
        number(&mut self.sections[FEET], foot as u64);
        number(&mut self.sections[LENGTHS], middle.len() as u64);
        self.sections[MIDDLES].extend_from_slice(middle);
        let known = [(member.size.is_some(), SIZE), (member.modified.is_some(), MODIFIED), (md5.is_some(), MD5)];
        let known = known.iter().filter(|(is_known, _)| *is_known).fold(0, |set, (_, bit)| set | bit);
        self.sections[KNOWN].push(if etag.is_some() && md5.is_none() { known | TAG } else { known });
        if let Some(size) = member.size {
            number(&mut self.sections[SIZES], size);
        }
        match (md5, etag) {
            (Some(md5), _) => self.sections[TAGS].extend_from_slice(&md5),
            (None, Some(etag)) => {
                number(&mut self.sections[TAGS], etag.len() as u64);
                self.sections[TAGS].extend_from_slice(etag.as_bytes());
            }
            (None, None) => {}
        }
        if let Some(time) = member.modified {
            let step = time.wrapping_sub(self.time);
            number(&mut self.sections[TIMES], (step << 1 ^ step >> 63).cast_unsigned());
            self.time = time;
        }
        self.key.clone_from(&member.key);
        self.members += 1;
    }

    /// All members in few bytes.
    pub(super) fn packed(&self) -> Packed {
        let mut plain = Vec::with_capacity(self.sections.iter().map(|section| section.len() + 9).sum());
        for section in &self.sections {
            number(&mut plain, section.len() as u64);
            plain.extend_from_slice(section);
        }
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
        let bytes = packed.write_all(&plain).and_then(|()| packed.finish()).expect("memory takes what is written");
        Packed { bytes, files: self.members }
    }

    /// The members of what [`Self::packed`] returned; `None` when it is damaged, or inflates to more than any split
    /// has.
    pub(super) fn unpacked(packed: &Packed) -> Option<Self> {
        let members = packed.files;
        if members == 0 {
            return Some(Self::default());
        }
        let mut plain = BufReader::new(DeflateDecoder::new(packed.bytes.as_slice()));
        let mut room = SPLIT_TEXT as u64;
        let mut sections: [Vec<u8>; SECTIONS] = std::array::from_fn(|_| Vec::new());
        for section in &mut sections {
            let length = take_number(&mut plain)?;
            room = room.checked_sub(length)?;
            let read = plain.by_ref().take(length).read_to_end(section).ok()?;
            if read as u64 != length {
                return None;
            }
        }
        let is_all = matches!(plain.read(&mut [0]), Ok(0));
        (is_all && sections[KNOWN].len() as u64 == members).then(|| Self { sections, members, ..Self::default() })
    }

    /// The members, as long as they are no more than this, written out.
    pub(super) fn into_members(self, room: usize) -> Members {
        Members { series: self, at: [0; SECTIONS], key: Vec::new(), time: 0, room }
    }
}

/// The members of a series, in order; after damage, or when no room is left, one `None` and then nothing.
#[derive(Debug)]
pub(super) struct Members {
    series: Series,
    at: [usize; SECTIONS],
    key: Vec<u8>,
    time: i64,
    room: usize,
}

impl Members {
    fn number(&mut self, section: usize) -> Option<u64> {
        let mut rest = self.series.sections[section].get(self.at[section]..)?;
        let number = take_number(&mut rest)?;
        self.at[section] = self.series.sections[section].len() - rest.len();
        Some(number)
    }

    fn bytes(&mut self, section: usize, length: u64) -> Option<&[u8]> {
        let start = self.at[section];
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        self.at[section] = end;
        self.series.sections[section].get(start..end)
    }

    fn member(&mut self) -> Option<Member> {
        let (head, foot, length) = (self.number(HEADS)?, self.number(FEET)?, self.number(LENGTHS)?);
        let (head, foot) = (usize::try_from(head).ok()?, usize::try_from(foot).ok()?);
        let end = self.key.len().checked_sub(foot).filter(|end| *end >= head)?;
        self.room = self.room.checked_sub(SPLIT_FILE + head + foot)?.checked_sub(usize::try_from(length).ok()?)?;
        let mut key = self.key.get(..head)?.to_vec();
        key.extend_from_slice(self.bytes(MIDDLES, length)?);
        key.extend_from_slice(&self.key[end..]);
        let known = *self.bytes(KNOWN, 1)?.first()?;
        let size = if known & SIZE > 0 { Some(self.number(SIZES)?) } else { None };
        let etag = if known & MD5 > 0 {
            Some(format!("\"{}\"", hex(self.bytes(TAGS, 16)?)))
        } else if known & TAG > 0 {
            let length = self.number(TAGS)?;
            Some(String::from_utf8(self.bytes(TAGS, length)?.to_vec()).ok()?)
        } else {
            None
        };
        self.room = self.room.checked_sub(etag.as_deref().map_or(0, str::len))?;
        let modified = if known & MODIFIED > 0 {
            let step = self.number(TIMES)?;
            self.time = self.time.wrapping_add((step >> 1) as i64 ^ -((step & 1) as i64));
            Some(self.time)
        } else {
            None
        };
        self.key.clone_from(&key);
        Some(Member { key: String::from_utf8(key).ok()?, size, etag, modified })
    }
}

impl Iterator for Members {
    type Item = Option<Member>;

    fn next(&mut self) -> Option<Option<Member>> {
        self.series.members = self.series.members.checked_sub(1)?;
        let member = self.member();
        if member.is_none() {
            self.series.members = 0;
        }
        Some(member)
    }
}

/// Number of equal bytes at the start of two iterators.
fn shared<'a>(one: impl Iterator<Item = &'a u8>, other: impl Iterator<Item = &'a u8>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// The bytes of a tag that is an MD5, as most are.
fn md5(etag: &str) -> Option<[u8; 16]> {
    let digits = etag.strip_prefix('"')?.strip_suffix('"')?;
    let bytes = unhex(digits).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok())?;
    (hex(&bytes) == digits).then_some(bytes)
}

/// Appends a number, seven bits per byte.
pub(super) fn number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn take_number(from: &mut impl Read) -> Option<u64> {
    let mut number = 0u64;
    let mut byte = [0];
    for shift in (0..64).step_by(7) {
        from.read_exact(&mut byte).ok()?;
        number |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Some(number);
        }
    }
    None
}
