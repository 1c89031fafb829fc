//! The floor that every speed is compared with: read and inflate every file into a reused buffer, nothing else.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Builder;

use crate::arena::Arena;
use crate::bounds::ARENA;
use crate::hash::sha256;
use crate::inflate::{Limits, Reader};
use crate::source::Body;

/// Reads and inflates each file once, on this many threads, and hashes its text if that is wanted. Returns the bytes of
/// text of each; `None` for a file that cannot be inflated in one piece: one that cannot be read, is no whole gzip
/// file, or is larger than `CloudTrail`'s own.
pub fn pass(files: &[PathBuf], threads: usize, hashes: bool) -> io::Result<Vec<Option<u64>>> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut buffers = Buffers::new();
        let mut texts = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = files.get(number) else { return texts };
            texts.push((number, buffers.inflate(path, hashes)));
        }
    };
    let mut all = vec![None; files.len()];
    std::thread::scope(|scope| {
        let workers = (0..threads.max(1)).map(|_| Builder::new().spawn_scoped(scope, worker));
        for worker in workers.collect::<io::Result<Vec<_>>>()? {
            for (number, text) in worker.join().map_err(|_| io::Error::other("a thread has panicked"))? {
                all[number] = text;
            }
        }
        Ok(all)
    })
}

/// What a thread uses for one file after another.
struct Buffers {
    stored: Vec<u8>,
    text: Arena,
    reader: Reader,
}

impl Buffers {
    fn new() -> Self {
        Self { stored: Vec::new(), text: Arena::new(ARENA), reader: Reader::new(Limits::default()) }
    }

    fn inflate(&mut self, path: &Path, hashes: bool) -> Option<u64> {
        let Ok(Body::Whole(stored)) = Body::of_file(path, None, &mut self.stored) else { return None };
        self.text.truncate(0);
        self.text.reserve(self.reader.room(stored)?);
        self.reader.whole(stored, &mut self.text)?;
        if hashes {
            std::hint::black_box(sha256(self.text.text(0)));
        }
        Some(self.text.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut file = GzEncoder::new(Vec::new(), Compression::fast());
        file.write_all(text).expect("memory");
        file.finish().expect("memory")
    }

    #[test]
    fn texts_are_counted_in_the_order_of_the_files_and_others_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let whole = gzip(&[b' '; 3000]);
        let bodies = [&whole[..], b"{}", &whole[..whole.len() - 1], &gzip(b"{}"), b"", &[&whole[..], &whole].concat()];
        let mut files: Vec<_> = (0..bodies.len()).map(|number| folder.path().join(number.to_string())).collect();
        for (path, body) in files.iter().zip(bodies) {
            fs::write(path, body).expect("a file");
        }
        files.push(folder.path().join("missing"));
        files.push(folder.path().to_path_buf());
        for (threads, hashes) in [(1, false), (3, true)] {
            let texts = pass(&files, threads, hashes).expect("threads");
            assert_eq!(texts, [Some(3000), None, None, Some(2), None, Some(6000), None, None]);
        }
    }
}
