//! Files to what their text is: in one read, with buffers that are kept.

use std::io::Read;
use std::path::Path;

use crate::arena::Arena;
use crate::digest::{Content, Running};
use crate::error::{Error, ErrorKind};
use crate::inflate::{Limits, Next, Reader};
use crate::source::{Body, Opened, Storage};

/// Text that a streamed file is hashed in.
const WINDOW: usize = 1 << 20;
/// A digest file inflates to less: 100,000 log files are 50 MB.
const LARGEST_DIGEST: usize = 256 << 20;

/// Reads files one after another.
pub(crate) struct Hasher {
    stored: Vec<u8>,
    reader: Reader,
    arena: Arena,
    storage: Storage,
    /// Of the last file, where there are any.
    metadata: Option<Vec<(String, String)>>,
}

/// Why a file is not read.
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

impl Hasher {
    pub(crate) fn new(limits: Limits, storage: Storage) -> Self {
        let (reader, arena) = (Reader::new(limits), Arena::new(WINDOW));
        Self { stored: Vec::new(), reader, arena, storage, metadata: None }
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
        self.arena.truncate(0);
        let mut stored = std::mem::take(&mut self.stored);
        let content = match self.storage.open(path, &mut stored) {
            Ok(Some(Opened { body, metadata })) => {
                self.metadata = metadata;
                match body {
                    Body::Whole(stored) => self.whole(stored).map_or_else(|| self.stream(stored, keep), Ok),
                    Body::Stream(file) => self.stream(file, keep),
                }
            }
            Ok(None) => Err(Unread::Missing),
            Err(error) => Err(error.into()),
        };
        self.stored = stored;
        content
    }

    /// At once, when it is a right gzip file of an ordinary size.
    fn whole(&mut self, stored: &[u8]) -> Option<Content> {
        self.arena.reserve(self.reader.room(stored)?);
        let members = self.reader.whole(stored, &mut self.arena)?;
        Some(Content::of(self.arena.text(0), stored.len() as u64, members))
    }

    fn stream(&mut self, file: impl Read, keep: bool) -> Result<Content, Unread> {
        let mut stream = self.reader.layer(file);
        if !keep && self.arena.room() > WINDOW {
            self.arena = Arena::new(WINDOW);
        }
        let mut hash = Running::new();
        loop {
            let before = self.arena.len();
            let next = stream.fill(&mut self.arena);
            let text = self.arena.text(before);
            if let (0, Some(&byte)) = (stream.members(), text.first()) {
                return Err(Unread::NotGzip(byte));
            }
            hash.update(text);
            if let Some(trailing) = next.trailing() {
                return Ok(hash.content(stream.offset(), stream.members(), trailing));
            }
            match next {
                Next::Damaged(error) => return Err(error.into()),
                _ if keep => self.grow()?,
                _ => self.arena.truncate(0),
            }
        }
    }

    fn grow(&mut self) -> Result<(), Error> {
        if self.arena.len() > LARGEST_DIGEST {
            return Err(Error::whole(ErrorKind::DocumentTooLarge(LARGEST_DIGEST as u64)));
        }
        self.arena.reserve(2 * self.arena.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::bounds::INFLATED_WHOLE;
    use crate::hash::{hex, sha256};

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    fn read_by(hasher: &mut Hasher, file: &[u8]) -> Result<Content, Unread> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, file).expect("a file");
        hasher.file(&path)
    }

    fn read(file: &[u8]) -> Result<Content, Unread> {
        read_by(&mut Hasher::new(Limits::default(), Storage::default()), file)
    }

    #[test]
    fn the_text_is_hashed_not_the_file() {
        let content = read(&gzip(b"abc")).expect("content");
        assert_eq!(hex(&content.sha256), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((content.inflated, content.members, content.trailing), (3, 1, 0));
    }

    #[test]
    fn members_and_trailing_bytes_are_told() {
        let two = [gzip(b"a"), gzip(b"bc")].concat();
        let content = read(&two).expect("content");
        assert_eq!((content.sha256, content.members), (sha256(b"abc"), 2));
        let trailing = [gzip(b"abc"), b"junk".to_vec()].concat();
        let content = read(&trailing).expect("content");
        assert_eq!((content.sha256, content.members, content.trailing), (sha256(b"abc"), 1, 4));
    }

    #[test]
    fn large_files_are_streamed() {
        let text = vec![b'x'; INFLATED_WHOLE + 1];
        let limits = Limits { ratio: 2_000, ..Limits::default() };
        let mut hasher = Hasher::new(limits, Storage::default());
        let content = read_by(&mut hasher, &gzip(&text)).expect("content");
        assert_eq!((content.sha256, content.inflated, content.members), (sha256(&text), text.len() as u64, 1));
        assert!(hasher.arena.len() <= WINDOW);
    }

    #[test]
    fn damage_is_named() {
        let kind = |file: &[u8]| match read(file) {
            Err(Unread::Bad(error)) => error.kind().name(),
            other => panic!("{other:?}"),
        };
        assert_eq!((kind(b""), kind(&gzip(b"abc")[..9])), ("empty", "truncated-gzip"));
        assert_eq!(read(b"{}"), Err(Unread::NotGzip(b'{')));
        assert_eq!(
            Hasher::new(Limits::default(), Storage::default()).file(Path::new("/no/such/file")),
            Err(Unread::Missing)
        );
    }
}
