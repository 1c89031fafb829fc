//! Files to what their text is: in one read, with buffers that are kept.

use std::io::{self, Read};
use std::path::Path;

use crate::arena::Arena;
use crate::digest::{Content, Running};
use crate::error::{Error, ErrorKind};
use crate::inflate::{Inflater, Limits, Next, Stream, is_gzip, length_hint};
use crate::source::unreadable;

use super::storage::{Opened, Storage, Unread};

/// Files that are stored in more bytes are streamed.
const STORED_WHOLE: u64 = 24 << 20;
/// Files that say they inflate to more are streamed.
const INFLATED_WHOLE: usize = 64 << 20;
/// Text that a streamed file is hashed in.
const WINDOW: usize = 1 << 20;
/// A digest file inflates to less: 100,000 log files are 50 MB.
const LARGEST_DIGEST: usize = 256 << 20;

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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::hash::{hex, sha256};

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
}
