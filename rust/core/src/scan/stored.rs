//! From a file as it is stored to its text: on disk or from a bucket, at once or piece by piece; and what is noted of it on the way.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::files::{Body, Wait};
use super::report::Report;
use super::worker::{Closed, Outcome, Worker};
use super::{Books, Shared};
use crate::arena::Arena;
use crate::bounds::{ARENA, INFLATED_WHOLE, INFLATED_WHOLE_RATIO, STORED_WHOLE};
use crate::digest::{Content, Running};
use crate::error::{Error, ErrorKind};
use crate::hash::{Hashed, hex, sha256};
use crate::inflate::{Next, Unwrapped, is_gzip, is_wrapped, length_hint};
use crate::source::object::{Bucket, Got};
use crate::source::{At, Entry, Skip, unreadable};

/// How long rows wait for the body of the next object.
const LATE: Duration = Duration::from_millis(100);

impl Worker {
    /// Reads a file, wherever it is.
    pub(super) fn file(&mut self, Entry { key, at, size, first, .. }: Entry, body: Option<Body>) -> Result<Outcome, Closed> {
        self.rows.start(key, first);
        (self.size, self.sha256) = (None, None);
        match at {
            At::Disk(path) => {
                self.path = path;
                self.disk_file(size)
            }
            At::Bucket(bucket) => {
                self.path = PathBuf::from(&self.rows.key);
                self.object(&bucket, size, body)
            }
        }
    }

    fn disk_file(&mut self, size: Option<u64>) -> Result<Outcome, Closed> {
        self.note_size(size);
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) => return Ok(Outcome::Bad(unreadable(&error))),
        };
        if size.is_some_and(|size| size > STORED_WHOLE) {
            return self.streamed(file);
        }
        self.stored.clear();
        let read = match file.by_ref().take(STORED_WHOLE + 1).read_to_end(&mut self.stored) {
            Ok(read) => read as u64,
            Err(error) => return Ok(Outcome::Bad(unreadable(&error))),
        };
        let stored = std::mem::take(&mut self.stored);
        let outcome = if read > STORED_WHOLE {
            // It grew since it was listed.
            self.streamed(io::Cursor::new(&stored).chain(file))
        } else {
            self.hashed(&stored)
        };
        self.stored = stored;
        outcome
    }

    fn object(&mut self, bucket: &Arc<Bucket>, mut size: Option<u64>, body: Option<Body>) -> Result<Outcome, Closed> {
        if let Some(body) = body {
            match self.body(&body)? {
                Ok(Got::Whole(bytes)) => {
                    self.note_size(Some(bytes.len() as u64));
                    return self.hashed(&bytes);
                }
                Ok(Got::Large(bytes)) => size = Some(bytes),
                Err(error) => return Ok(Outcome::Bad(error)),
            }
        }
        self.note_size(size);
        if self.rows.builders.rows() > 0 {
            self.flush()?;
        }
        self.streamed(bucket.stream(&self.rows.key, size))
    }

    /// Waits for the body of an object. While it is late, the rows so far are handed over: they may be all that is asked for, and
    /// if nobody takes them any more, there is nothing to wait for.
    fn body(&mut self, body: &Body) -> Result<Result<Got, Error>, Closed> {
        loop {
            match body.wait(LATE) {
                Wait::Got(got) => return Ok(got),
                Wait::Late => self.flush()?,
                Wait::Gone if self.shared.order.is_closed() => return Err(Closed),
                Wait::Gone => return Ok(Err(Error::whole(ErrorKind::Bug))),
            }
        }
    }

    /// Notes how large the file is, for whoever wants to know.
    fn note_size(&mut self, size: Option<u64>) {
        self.size = size;
        if let (Some(sizes), Some(size)) = (&self.shared.sizes, size) {
            sizes.put(&self.rows.key, size);
        }
    }

    /// Reads a file from memory, and notes its hash if that is wanted.
    fn hashed(&mut self, stored: &[u8]) -> Result<Outcome, Closed> {
        self.sha256 = (self.shared.books == Books::Hashes).then(|| hex(&sha256(stored)));
        self.whole(stored)
    }

    /// Reads a file as it comes, and notes its hash if that is wanted.
    fn streamed(&mut self, file: impl Read) -> Result<Outcome, Closed> {
        let limits = self.shared.limits;
        if self.shared.books != Books::Hashes {
            return self.stream(Unwrapped::new(file, limits));
        }
        let mut file = Hashed::new(file);
        let outcome = self.stream(Unwrapped::new(&mut file, limits))?;
        self.sha256 = file.finish().map(|hash| hex(&hash));
        Ok(outcome)
    }

    /// Reads a file from memory: at once when it is a right gzip file of an ordinary size, else as a stream.
    fn whole(&mut self, stored: &[u8]) -> Result<Outcome, Closed> {
        let length = length_hint(stored);
        let limits = self.shared.limits;
        let most = limits.most(stored.len() as u64);
        if is_gzip(stored) && length as u64 <= most {
            if length <= ARENA {
                self.make_room(length)?;
                let start = self.arena.len();
                if let Some(members) = self.inflater.whole(stored, &mut self.arena) {
                    let text = self.arena.text(start);
                    if text.len() as u64 <= most && !is_wrapped(text) {
                        note_content(&self.shared, &self.path, &mut self.report, Inflated { stored, text, members });
                        if self.shared.is_ruled_out(text) {
                            self.arena.truncate(start);
                            return Ok(Outcome::Skipped(Skip::Constant));
                        }
                        return self.text(start);
                    }
                    // The length was that of the last member alone, or this is not yet the text.
                    self.arena.truncate(start);
                }
            } else if length <= INFLATED_WHOLE && length <= stored.len().saturating_mul(INFLATED_WHOLE_RATIO) {
                let mut large = std::mem::replace(&mut self.large, Arena::new(0));
                large.truncate(0);
                large.reserve(length);
                let members = self.inflater.whole(stored, &mut large);
                let members = members.filter(|_| !is_wrapped(large.text(0)));
                let outcome = members.map(|members| self.large(stored, &large, members));
                self.large = large;
                if let Some(outcome) = outcome {
                    return outcome;
                }
            }
        }
        self.stream(Unwrapped::new(stored, limits))
    }

    /// Reads a file whose text does not fit in the arena, piece by piece.
    fn large(&mut self, stored: &[u8], large: &Arena, members: u32) -> Result<Outcome, Closed> {
        note_content(&self.shared, &self.path, &mut self.report, Inflated { stored, text: large.text(0), members });
        if self.shared.is_ruled_out(large.text(0)) {
            return Ok(Outcome::Skipped(Skip::Constant));
        }
        let mut at = 0;
        self.windows(|arena| {
            let text = large.text(at);
            let piece = &text[..text.len().min(arena.room())];
            arena.append(|memory| memory.extend_from_slice(piece));
            at += piece.len();
            if at == large.len() { Next::End(None) } else { Next::More }
        })
    }

    /// Sees to it that the arena has room for so much text: the current one, or a new one.
    pub(super) fn make_room(&mut self, length: usize) -> Result<(), Closed> {
        if self.rows.builders.rows() == 0 {
            self.arena.truncate(0);
        }
        if self.arena.room() < length {
            self.flush()?;
        }
        if self.arena.room() < length {
            self.arena = Arena::new(length.max(ARENA));
        }
        Ok(())
    }

    /// Reads a file window by window.
    fn stream(&mut self, mut stream: Unwrapped<impl Read>) -> Result<Outcome, Closed> {
        // What CloudTrail signs is the text of one layer of gzip.
        let hashes = self.shared.hashes.clone().filter(|_| !stream.is_wrapped());
        let mut hashing = hashes.map(|hashes| (hashes, Running::new()));
        self.rows.decoded = stream.is_decoded();
        let path = self.path.clone();
        let mut inflated = 0;
        let outcome = self.windows(|arena| {
            let before = arena.len();
            let next = stream.fill(arena);
            let text = arena.text(before);
            inflated += text.len() as u64;
            if let Some((_, hash)) = &mut hashing {
                hash.update(text);
            }
            if let (Some(trailing), Some((hashes, hash))) = (next.trailing(), hashing.take_if(|_| next.trailing().is_some())) {
                let members = stream.members();
                // A plain file is read all the same, but it is not what CloudTrail delivers.
                if members > 0 {
                    hashes.put(&path, hash.content(stream.offset(), members, trailing));
                }
            }
            next
        });
        self.report.bytes_stored += stream.offset();
        self.report.bytes_inflated += inflated;
        outcome
    }
}

/// A file that was inflated at once.
struct Inflated<'a> {
    stored: &'a [u8],
    text: &'a [u8],
    members: u32,
}

/// Counts the file, and notes the hash of its text while that is in the cache.
fn note_content(shared: &Shared, path: &Path, report: &mut Report, Inflated { stored, text, members }: Inflated<'_>) {
    let (stored, inflated) = (stored.len() as u64, text.len() as u64);
    report.bytes_stored += stored;
    report.bytes_inflated += inflated;
    if let Some(hashes) = &shared.hashes {
        hashes.put(path, Content::of(text, stored, members));
    }
}
