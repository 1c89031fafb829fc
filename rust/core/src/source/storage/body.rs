//! The bytes of a file as stored: at once, or as a stream.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use crate::bounds::STORED_WHOLE;
use crate::source::object::{Bucket, Got, Version};

/// Whether a file of this size is read at once.
pub(crate) fn is_whole(size: u64) -> bool {
    size <= STORED_WHOLE
}

/// A file that is open.
pub(crate) enum Body<'a> {
    /// All of it is in memory.
    Whole(&'a [u8]),
    Stream(Box<dyn Read + 'a>),
}

impl<'a> Body<'a> {
    /// Opens a file on disk, whose size may be known. The memory is reused.
    pub(crate) fn of_file(path: &Path, size: Option<u64>, memory: &'a mut Vec<u8>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if !size.is_none_or(is_whole) {
            return Ok(Self::Stream(Box::new(file)));
        }
        memory.clear();
        let read = file.by_ref().take(STORED_WHOLE + 1).read_to_end(memory)?;
        if is_whole(read as u64) {
            return Ok(Self::Whole(memory));
        }
        // It has grown since it was listed, or its size was unknown.
        Ok(Self::Stream(Box::new(memory.chain(file))))
    }

    /// The body of an object, from what was fetched of it; of the version with this tag, if only that is accepted.
    pub(crate) fn of_object(
        bucket: &Arc<Bucket>,
        address: &str,
        got: Got,
        tag: Option<String>,
        memory: &'a mut Vec<u8>,
    ) -> Self {
        match got {
            Got::Whole(bytes) => {
                *memory = bytes;
                Self::Whole(memory)
            }
            Got::Large(length) => Self::Stream(Box::new(bucket.stream(address, Version { length, tag }))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_whole_up_to_a_size_and_streamed_from_there_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        for (length, is_whole) in [(0, true), (STORED_WHOLE, true), (STORED_WHOLE + 1, false)] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            std::fs::write(&path, &bytes).expect("a file");
            // The listed size may be right, unknown, or outdated.
            for size in [Some(length), None, Some(7)] {
                let mut memory = b"what was read before".to_vec();
                let found = match Body::of_file(&path, size, &mut memory).expect("a file") {
                    Body::Whole(found) => (found.to_vec(), true),
                    Body::Stream(mut file) => {
                        let mut found = Vec::new();
                        file.read_to_end(&mut found).expect("a file");
                        (found, false)
                    }
                };
                assert!(found == (bytes.clone(), is_whole), "{length} {size:?}");
            }
        }
    }
}
