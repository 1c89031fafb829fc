//! From a file as it is stored to its text: on disk or from a bucket, at once or piece by piece; and the hashes that
//! are recorded on the way.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{Fetch, Wait};
use super::report::Report;
use super::shared::{Books, Shared};
use super::worker::{Closed, Outcome, Worker};
use crate::arena::Arena;
use crate::bounds::ARENA;
use crate::digest::{Content, Running};
use crate::error::{Error, ErrorKind, Refusal};
use crate::hash::{Hashed, hex, sha256};
use crate::inflate::Next;
use crate::source::object::{Got, Version};
use crate::source::{At, Body, Entry, Skip, unreadable, version_of};

/// How long finished rows wait for the body of the next object.
const LATE: Duration = Duration::from_millis(100);

impl Worker {
    /// Reads a file, wherever it is.
    pub(super) fn file(&mut self, entry: Entry, fetch: Option<&Fetch>) -> Result<Outcome, Closed> {
        let Entry { key, at, size, etag, modified, first, is_planned, .. } = entry;
        let planned = (is_planned && matches!(at, At::Disk(_))).then_some((size, modified));
        let version = Version { length: size, tag: etag.filter(|_| is_planned) };
        self.rows.start(key, first);
        self.sha256 = None;
        let mut memory = std::mem::take(&mut self.stored);
        let opened = self.open(at, version, fetch, &mut memory)?;
        let outcome = match opened.and_then(|body| self.is_planned(planned).map(|()| body)) {
            Ok(Body::Whole(stored)) => self.hashed(stored),
            Ok(Body::Stream(file)) => self.streamed(file).map(|outcome| {
                // The rows that were read cannot be taken back, but the change is reported.
                self.is_planned(planned).map_or_else(Outcome::Bad, |()| outcome)
            }),
            Err(error) => Ok(Outcome::Bad(error)),
        };
        self.stored = memory;
        outcome
    }

    fn open<'a>(
        &mut self,
        at: At,
        version: Version,
        fetch: Option<&Fetch>,
        memory: &'a mut Vec<u8>,
    ) -> Result<Result<Body<'a>, Error>, Closed> {
        let bucket = match at {
            At::Disk(path) => {
                self.path = path;
                self.size = version.length;
                return Ok(Body::of_file(&self.path, version.length, memory).map_err(|error| unreadable(&error)));
            }
            At::Bucket(bucket) => bucket,
        };
        self.path = PathBuf::from(&self.rows.key);
        let got = match fetch.map_or(Ok(Ok(Got::Large(version.length))), |fetch| self.fetched(fetch))? {
            Ok(got) => got,
            Err(error) => return Ok(Err(error)),
        };
        self.size = got.size();
        if matches!(got, Got::Large(_)) && self.rows.builders.rows() > 0 {
            self.flush()?;
        }
        Ok(Ok(Body::of_object(&bucket, &self.rows.key, got, version.tag, memory)))
    }

    /// Refuses a file on disk that is not the planned version.
    fn is_planned(&self, planned: Option<Planned>) -> Result<(), Error> {
        let Some((size, modified)) = planned else { return Ok(()) };
        let (found, changed) = version_of(&fs::metadata(&self.path).map_err(|error| unreadable(&error))?);
        let words = match (size, found.unwrap_or_default()) {
            (Some(size), found) if size != found => format!("{found} bytes instead of {size}"),
            _ if modified.is_some() && modified != changed => "it was written again".to_owned(),
            _ => return Ok(()),
        };
        Err(Error::whole(ErrorKind::Store(Refusal::Changed, words)))
    }

    /// Waits for the body of an object. If it is late, the rows so far are handed over: the reader may need no more,
    /// and if the scan is closed, there is nothing to wait for.
    fn fetched(&mut self, fetch: &Fetch) -> Result<Result<Got, Error>, Closed> {
        loop {
            match fetch.wait(LATE) {
                Wait::Got(got) => return Ok(got),
                Wait::Late => self.flush()?,
                Wait::Gone if self.shared.order.is_closed() => return Err(Closed),
                Wait::Gone => return Ok(Err(Error::whole(ErrorKind::Bug))),
            }
        }
    }

    /// Reads a file from memory, and records its hash if that is wanted.
    fn hashed(&mut self, stored: &[u8]) -> Result<Outcome, Closed> {
        self.sha256 = (self.shared.books == Books::Hashes).then(|| hex(&sha256(stored)));
        self.whole(stored)
    }

    /// Reads a file as a stream, and records its hash if that is wanted.
    fn streamed(&mut self, mut file: Box<dyn Read + '_>) -> Result<Outcome, Closed> {
        if self.shared.books != Books::Hashes {
            return self.stream(&mut file);
        }
        let mut file = Hashed::new(file);
        let outcome = self.stream(&mut file)?;
        self.sha256 = file.finish().map(|hash| hex(&hash));
        Ok(outcome)
    }

    /// Reads a file from memory: at once if it is a valid gzip file of an ordinary size, else as a stream.
    fn whole(&mut self, mut stored: &[u8]) -> Result<Outcome, Closed> {
        match self.reader.room(stored) {
            Some(length) if length <= ARENA => {
                self.make_room(length)?;
                let start = self.arena.len();
                if let Some(members) = self.reader.whole(stored, &mut self.arena) {
                    let text = self.arena.text(start);
                    note_content(&self.shared, &self.path, &mut self.report, (stored, text, members));
                    if self.shared.is_ruled_out(text) {
                        self.arena.truncate(start);
                        return Ok(Outcome::Skipped(Skip::Constant));
                    }
                    return self.text(start);
                }
            }
            Some(length) => {
                let mut large = std::mem::replace(&mut self.large, Arena::new(0));
                large.truncate(0);
                large.reserve(length);
                let members = self.reader.whole(stored, &mut large);
                let outcome = members.map(|members| self.large(stored, &large, members));
                self.large = large;
                if let Some(outcome) = outcome {
                    return outcome;
                }
            }
            None => {}
        }
        self.stream(&mut stored)
    }

    /// Reads a file whose text does not fit in the arena, piece by piece.
    fn large(&mut self, stored: &[u8], large: &Arena, members: u32) -> Result<Outcome, Closed> {
        note_content(&self.shared, &self.path, &mut self.report, (stored, large.text(0), members));
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

    /// Makes room for this much text: in the current arena, or in a new one.
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
    fn stream(&mut self, file: &mut dyn Read) -> Result<Outcome, Closed> {
        let mut stream = self.reader.stream(file);
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
            if let (Some(trailing), Some((hashes, hash))) =
                (next.trailing(), hashing.take_if(|_| next.trailing().is_some()))
            {
                let members = stream.members();
                // An uncompressed file is read, but it is not what CloudTrail delivers.
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

/// The size of a file and the time of its last change, as far as the plan has them.
type Planned = (Option<u64>, Option<i64>);

/// Counts the file, and records the hash of its text while that is in the cache.
fn note_content(shared: &Shared, path: &Path, report: &mut Report, (stored, text, members): (&[u8], &[u8], u32)) {
    let (stored, inflated) = (stored.len() as u64, text.len() as u64);
    report.bytes_stored += stored;
    report.bytes_inflated += inflated;
    if let Some(hashes) = &shared.hashes {
        hashes.put(path, Content::of(text, stored, members));
    }
}
