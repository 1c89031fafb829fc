//! Files to hashes of their text: in one read, with buffers that are kept.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ring::digest::{Context, SHA256, digest};

use crate::arena::Arena;
use crate::error::{Error, ErrorKind};
use crate::inflate::{Inflater, Limits, Next, Stream, is_gzip, length_hint};
use crate::source::unreadable;

use super::calls;
use super::storage::{Opened, Storage};

/// A SHA-256.
pub type Sha256 = [u8; 32];

/// Files that are stored in more bytes are streamed.
const STORED_WHOLE: u64 = 24 << 20;
/// Files that say they inflate to more are streamed.
const INFLATED_WHOLE: usize = 64 << 20;
/// Text that a streamed file is hashed in.
const WINDOW: usize = 1 << 20;
/// A digest file inflates to less: 100,000 log files are 50 MB.
const LARGEST_DIGEST: usize = 256 << 20;

/// What the text of a file is, and how it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Of the inflated text.
    pub sha256: Sha256,
    /// Bytes of the file.
    pub stored: u64,
    /// Bytes of the text.
    pub inflated: u64,
    /// Gzip members.
    pub members: u32,
    /// Bytes behind the last member.
    pub trailing: u64,
    /// Whether the text names a call that tells when a trail began.
    pub(crate) names_calls: bool,
}

impl Content {
    /// That of a text which is all there is of a file.
    pub(crate) fn of(text: &[u8], stored: u64, members: u32) -> Self {
        let names_calls = calls::are_named_in(text);
        Self { sha256: sha256(text), stored, inflated: text.len() as u64, members, trailing: 0, names_calls }
    }
}

/// Why there is no [`Content`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// There is no such file.
    Missing,
    /// It is not gzip: it starts with this byte.
    NotGzip(u8),
    /// It is damaged, or cannot be read.
    Bad(Error),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Bad(error)
    }
}

/// Reads files one after another.
pub(crate) struct Hasher {
    stored: Vec<u8>,
    inflater: Inflater,
    arena: Arena,
    limits: Limits,
    storage: Storage,
    /// Of the last file, where there are any.
    metadata: Option<Vec<(String, String)>>,
}

impl Hasher {
    pub(crate) fn new(limits: Limits, storage: Storage) -> Self {
        Self { stored: Vec::new(), inflater: Inflater::new(), arena: Arena::new(WINDOW), limits, storage, metadata: None }
    }

    /// Hashes the text of a file.
    pub(crate) fn file(&mut self, path: &Path) -> Result<Content, Unread> {
        self.read(path, false)
    }

    /// Hashes the text of a file, and keeps it: see [`Self::text`].
    pub(crate) fn kept(&mut self, path: &Path) -> Result<Content, Unread> {
        self.read(path, true)
    }

    /// The text that [`Self::kept`] has read, and its padding.
    pub(crate) fn text(&self) -> &Arena {
        &self.arena
    }

    /// What is written down about the last file beside its content.
    pub(crate) fn metadata(&self) -> Option<&[(String, String)]> {
        self.metadata.as_deref()
    }

    fn read(&mut self, path: &Path, keep: bool) -> Result<Content, Unread> {
        self.stored.clear();
        self.arena.truncate(0);
        let Opened { mut file, metadata } = self.storage.open(path, STORED_WHOLE)?;
        self.metadata = metadata;
        let read = file.by_ref().take(STORED_WHOLE + 1).read_to_end(&mut self.stored).map_err(why)?;
        match self.stored.first() {
            None => return Err(Error::whole(ErrorKind::Empty).into()),
            Some(&byte) if !is_gzip(&self.stored) => return Err(Unread::NotGzip(byte)),
            Some(_) => {}
        }
        if read as u64 <= STORED_WHOLE
            && let Some(content) = self.whole()
        {
            return Ok(content);
        }
        let stored = std::mem::take(&mut self.stored);
        let result = self.stream(io::Cursor::new(&stored).chain(file), keep);
        self.stored = stored;
        Ok(result?)
    }

    /// At once, when it is a right gzip file of an ordinary size.
    fn whole(&mut self) -> Option<Content> {
        let length = length_hint(&self.stored);
        let stored = self.stored.len() as u64;
        let allowed = self.limits.most(stored);
        if length > INFLATED_WHOLE || length as u64 > allowed {
            return None;
        }
        if self.arena.room() < length {
            self.arena = Arena::new(length);
        }
        let members = self.inflater.whole(&self.stored, &mut self.arena)?;
        let text = self.arena.text(0);
        if text.len() as u64 > allowed {
            return None; // The length was that of the last member alone.
        }
        Some(Content::of(text, stored, members))
    }

    fn stream(&mut self, file: impl Read, keep: bool) -> Result<Content, Error> {
        let mut stream = Stream::new(file, self.limits);
        if !keep && self.arena.room() > WINDOW {
            self.arena = Arena::new(WINDOW);
        }
        let mut hash = Running::new();
        self.arena.truncate(0);
        loop {
            let before = self.arena.len();
            let next = stream.fill(&mut self.arena);
            let text = self.arena.text(before);
            hash.update(text);
            if let Some(trailing) = next.trailing() {
                return Ok(hash.content(stream.offset(), stream.members(), trailing));
            }
            match next {
                Next::Damaged(error) => return Err(error),
                _ if keep => self.grow()?,
                _ => self.arena.truncate(0),
            }
        }
    }

    fn grow(&mut self) -> Result<(), Error> {
        if self.arena.len() > LARGEST_DIGEST {
            return Err(Error::whole(ErrorKind::DocumentTooLarge(LARGEST_DIGEST as u64)));
        }
        let mut next = Arena::new(2 * self.arena.len());
        next.append(|text| text.extend_from_slice(self.arena.text(0)));
        self.arena = next;
        Ok(())
    }
}

/// Why a file cannot be read: as whoever reads it says, or in the words of the operating system.
fn why(error: io::Error) -> Error {
    error.downcast::<Error>().unwrap_or_else(|error| unreadable(&error))
}

/// The hash of a text.
pub(crate) fn sha256(text: &[u8]) -> Sha256 {
    as_array(digest(&SHA256, text).as_ref())
}

/// A text that comes piece by piece.
pub(crate) struct Running {
    hash: Context,
    inflated: u64,
    calls: calls::Search,
}

impl Running {
    pub(crate) fn new() -> Self {
        Self { hash: Context::new(&SHA256), inflated: 0, calls: calls::Search::default() }
    }

    /// Adds the next piece.
    pub(crate) fn update(&mut self, text: &[u8]) {
        self.hash.update(text);
        self.inflated += text.len() as u64;
        self.calls.update(text);
    }

    /// What the whole text is.
    pub(crate) fn content(self, stored: u64, members: u32, trailing: u64) -> Content {
        let (sha256, names_calls) = (as_array(self.hash.finish().as_ref()), self.calls.is_found());
        Content { sha256, stored, inflated: self.inflated, members, trailing, names_calls }
    }
}

fn as_array(hash: &[u8]) -> Sha256 {
    hash.try_into().expect("32 bytes")
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS[usize::from(value)] as char;
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Hexadecimal digits of any case as bytes.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|value| value as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
    if rest.is_empty() { bytes } else { None }
}

/// The hashes of the files that a scan reads, for a verification that then need not read them again.
///
/// Paths are kept as 64-bit hashes with a random key, so that no two files can be made to meet.
#[derive(Default)]
pub struct Hashes {
    contents: Mutex<HashMap<u64, Content>>,
    keys: RandomState,
}

impl std::fmt::Debug for Hashes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hashes of {} files", self.len())
    }
}

impl Hashes {
    /// Notes what a file holds.
    pub(crate) fn put(&self, path: &Path, content: Content) {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner).insert(self.keys.hash_one(path), content);
    }

    /// What a file held when it was read.
    pub(crate) fn get(&self, path: &Path) -> Option<Content> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner).get(&self.keys.hash_one(path)).copied()
    }

    /// How many files.
    pub fn len(&self) -> usize {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all files.
    pub fn clear(&self) {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    fn read(name: &str, file: &[u8]) -> Result<Content, Unread> {
        let path = std::env::temp_dir().join(format!("ctfast-hash-{}-{name}", std::process::id()));
        std::fs::write(&path, file).expect("a file");
        let result = Hasher::new(Limits::default(), Storage::default()).file(&path);
        std::fs::remove_file(&path).expect("a file");
        result
    }

    #[test]
    fn the_text_is_hashed_not_the_file() {
        let content = read("one", &gzip(b"abc")).expect("content");
        assert_eq!(hex(&content.sha256), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((content.inflated, content.members, content.trailing), (3, 1, 0));
    }

    #[test]
    fn members_and_trailing_bytes_are_told() {
        let two = [gzip(b"a"), gzip(b"bc")].concat();
        let content = read("two", &two).expect("content");
        assert_eq!((content.sha256, content.members), (sha256(b"abc"), 2));
        let trailing = [gzip(b"abc"), b"junk".to_vec()].concat();
        let content = read("trailing", &trailing).expect("content");
        assert_eq!((content.sha256, content.members, content.trailing), (sha256(b"abc"), 1, 4));
    }

    #[test]
    fn large_files_are_streamed() {
        let text = vec![b'x'; INFLATED_WHOLE + 1];
        let limits = Limits { ratio: 2_000, ..Limits::default() };
        let mut hasher = Hasher::new(limits, Storage::default());
        let stored = gzip(&text);
        let content = hasher.stream(stored.as_slice(), false).expect("content");
        assert_eq!((content.sha256, content.inflated, content.members), (sha256(&text), text.len() as u64, 1));
        assert!(hasher.arena.len() <= WINDOW);
    }

    #[test]
    fn damage_is_named() {
        let kind = |file: &[u8]| match read("bad", file) {
            Err(Unread::Bad(error)) => error.kind().name(),
            other => panic!("{other:?}"),
        };
        assert_eq!((kind(b""), kind(&gzip(b"abc")[..9])), ("empty", "truncated-gzip"));
        assert_eq!(read("plain", b"{}"), Err(Unread::NotGzip(b'{')));
        assert_eq!(Hasher::new(Limits::default(), Storage::default()).file(Path::new("/no/such/file")), Err(Unread::Missing));
    }

    #[test]
    fn hexadecimal() {
        assert_eq!(hex(&[0, 0x9f, 0xff]), "009fff");
        assert_eq!((unhex("009fFF"), unhex("0"), unhex("0g"), unhex("é")), (Some(vec![0, 0x9f, 0xff]), None, None, None));
    }
}
