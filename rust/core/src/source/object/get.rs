//! Objects: at once as bytes, or as a stream if they are large. If a body breaks off, the rest is requested.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap};
use object_store::client::HttpError;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::client::{Ask, Bucket, tag};
use super::failure::{Again, Failure};
use super::split;
use super::versioned::versioned;
use crate::error::{Error, ErrorKind, Refusal};
use crate::source::unwritable;

/// The most parts of a streamed object that wait for their reader.
const PARTS: usize = 16;
/// The most memory reserved for a body in advance: most bodies are smaller, and a header is not trusted for more.
const ROOM: u64 = 1 << 20;

/// An object; or, if it is too large to be read at once, its size as far as that is known.
#[derive(Debug)]
pub(crate) enum Got {
    Whole(Vec<u8>),
    Large(Option<u64>),
}

impl Got {
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Large(size) => *size,
        }
    }
}

/// What is known about an object that is being fetched.
#[derive(Default)]
pub(super) struct State {
    /// Bytes so far.
    pub(super) have: u64,
    /// Total bytes, by the listing or the first answer.
    length: Option<u64>,
    tag: Option<String>,
    /// The tag of the only version that is accepted.
    wanted: Option<String>,
    metadata: Vec<(String, String)>,
}

/// What a listing says about an object.
#[derive(Debug, Default)]
pub(crate) struct Version {
    /// Bytes.
    pub(crate) length: Option<u64>,
    /// The tag of the only version that is accepted.
    pub(crate) tag: Option<String>,
}

impl From<Option<u64>> for Version {
    fn from(length: Option<u64>) -> Self {
        Self { length, tag: None }
    }
}

/// A tag without its quotes, which some stores leave out in listings.
fn unquoted(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\"")).unwrap_or(tag)
}

impl State {
    fn new(listed: &Version) -> Self {
        Self { length: listed.length, wanted: listed.tag.clone(), ..Self::default() }
    }

    /// Compares an answer with what is known.
    pub(super) fn check(&mut self, headers: &HeaderMap) -> Result<(), Failure> {
        let number = |text: &str| text.parse::<u64>().ok();
        let said = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let found = tag(headers);
        let length = if self.have > 0 {
            // Some stores ignore `If-Match`: parts of two versions would be joined.
            if found.is_none() || found != self.tag {
                let words = format!("byte {} and what follows are of another version than the bytes before", self.have);
                return Err(Failure::new(Refusal::Changed, words, Again::Doubtful));
            }
            let range = said(CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes ")?.split_once('/'));
            let (range, length) = range.unwrap_or_default();
            if range.split('-').next().and_then(number) != Some(self.have) {
                return Err(Failure::new(Refusal::Protocol, "another part than was asked for", Again::Doubtful));
            }
            number(length)
        } else {
            said(CONTENT_LENGTH).and_then(number)
        };
        if let (Some(known), Some(length)) = (self.length, length)
            && known != length
        {
            return Err(Failure::new(Refusal::Changed, format!("{length} bytes instead of {known}"), Again::Doubtful));
        }
        if let Some(wanted) = &self.wanted
            && headers.get(ETAG).is_none_or(|found| unquoted(found.as_bytes()) != unquoted(wanted.as_bytes()))
        {
            let found = headers.get(ETAG).map_or("none".into(), |found| String::from_utf8_lossy(found.as_bytes()));
            return Err(Failure::new(Refusal::Changed, format!("ETag {found} instead of {wanted}"), Again::Never));
        }
        self.length = self.length.or(length);
        if self.have == 0 {
            (self.metadata, self.tag) = (metadata(headers), found);
        }
        Ok(())
    }

    /// Counts the next part; the total must not exceed the size.
    fn add(&mut self, part: &Bytes) -> Result<(), Failure> {
        self.have += part.len() as u64;
        let too_many = self.length.is_some_and(|length| self.have > length);
        if too_many {
            Err(Failure::new(Refusal::Protocol, "more bytes than were announced", Again::Doubtful))
        } else {
            Ok(())
        }
    }

    /// Refuses a body of unknown length, which might not end.
    fn must_end(&self) -> Result<(), Failure> {
        let words = || Failure::new(Refusal::Protocol, "an object without a length", Again::Never);
        self.length.map(|_| ()).ok_or_else(words)
    }

    /// Checks that the body ended where it should.
    fn end(&self) -> Result<(), Failure> {
        let Some(length) = self.length.filter(|length| *length != self.have) else { return Ok(()) };
        Err(Failure::new(Refusal::Network, format!("{} of {length} bytes came", self.have), Again::Later))
    }

    /// Whether the rest can be requested from here. Without a strong tag, it might belong to another version.
    fn goes_on(&self, failure: &Failure) -> bool {
        self.tag.is_some() && failure.again != Again::Doubtful
    }
}

impl Bucket {
    /// The bytes of an object, unless there are more than this many.
    pub(crate) async fn get(&self, address: &str, listed: impl Into<Version>, most: u64) -> Result<Got, Error> {
        self.described(address, listed.into(), most).await.map(|(got, _)| got)
    }

    /// The bytes of an object, and its user metadata.
    pub(super) async fn described(
        &self,
        address: &str,
        listed: impl Into<Version>,
        most: u64,
    ) -> Result<(Got, Vec<(String, String)>), Error> {
        let (_, key) = split(address);
        let listed = listed.into();
        let mut tries = self.tries();
        let mut state = State::new(&listed);
        let mut body = Vec::new();
        loop {
            let turn = self.pace.turn().await;
            let failure = match self.fill(key, &mut state, &mut body, most).await {
                Ok(got) => {
                    turn.answered();
                    return Ok((got.unwrap_or(Got::Whole(body)), state.metadata));
                }
                Err(failure) => failure,
            };
            turn.failed(failure.refusal == Refusal::Throttled);
            if !state.goes_on(&failure) {
                body.clear();
                state = State::new(&listed);
            }
            self.again(&mut tries, failure).await?;
        }
    }

    async fn fill(&self, key: &str, state: &mut State, body: &mut Vec<u8>, most: u64) -> Result<Option<Got>, Failure> {
        let mut parts = self.parts(key, state).await?;
        let length = state.length.unwrap_or_default();
        if length > most {
            return Ok(Some(Got::Large(Some(length))));
        }
        body.reserve_exact((length.min(ROOM) as usize).saturating_sub(body.len()));
        while let Some(part) = parts.next().await {
            let part = part.map_err(|error| Failure::of_http(&error))?;
            state.add(&part)?;
            if state.have > most {
                return Err(Failure::new(Refusal::Protocol, "a large object without a length", Again::Never));
            }
            body.extend_from_slice(&part);
        }
        state.end()?;
        Ok(None)
    }

    /// Writes an object of any size to a file, and returns its user metadata.
    pub(super) async fn save(
        &self,
        address: &str,
        listed: Option<u64>,
        file: &mut File,
    ) -> Result<Vec<(String, String)>, Error> {
        let (_, key) = split(address);
        let listed = listed.into();
        let mut tries = self.tries();
        let mut state = State::new(&listed);
        loop {
            let before = state.have;
            let turn = self.pace.turn().await;
            let failure = match self.save_once(key, &mut state, file).await? {
                Ok(()) => {
                    turn.answered();
                    return Ok(state.metadata);
                }
                Err(failure) => failure,
            };
            turn.failed(failure.refusal == Refusal::Throttled);
            if state.have > before {
                tries = self.tries();
            }
            if !state.goes_on(&failure) {
                file.set_len(0).and_then(|()| file.rewind()).map_err(|error| unwritable(&error))?;
                state = State::new(&listed);
            }
            self.again(&mut tries, failure).await?;
        }
    }

    /// Fails if the disk does; a failure of the store is in the returned value.
    async fn save_once(&self, key: &str, state: &mut State, file: &mut File) -> Result<Result<(), Failure>, Error> {
        let mut parts = match self.parts(key, state).await {
            Ok(parts) => parts,
            Err(failure) => return Ok(Err(failure)),
        };
        if let Err(failure) = state.must_end() {
            return Ok(Err(failure));
        }
        while let Some(part) = parts.next().await {
            let added = part.map_err(|error| Failure::of_http(&error)).and_then(|part| state.add(&part).map(|()| part));
            match added {
                // This writes to the disk's cache: short enough for a thread that serves the network.
                Ok(part) => file.write_all(&part).map_err(|error| unwritable(&error))?,
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(state.end())
    }

    /// The parts of the body that are still missing.
    async fn parts(
        &self,
        key: &str,
        state: &mut State,
    ) -> Result<BoxStream<'static, Result<Bytes, HttpError>>, Failure> {
        if state.have > 0 && state.end().is_ok() {
            return Ok(futures_util::stream::empty().boxed());
        }
        let (key, version) = versioned(key);
        let ask = Ask::Get { key, version, from: state.have, tag: state.tag.as_deref() };
        let answer = self.ask(ask).await?;
        state.check(answer.headers())?;
        Ok(answer.into_body().bytes_stream())
    }

    /// An object of any size as a stream.
    pub(crate) fn stream(self: &Arc<Self>, address: &str, listed: impl Into<Version>) -> Download {
        let (sender, parts) = mpsc::channel(PARTS);
        let (bucket, key, listed) = (Arc::clone(self), split(address).1.to_owned(), listed.into());
        let task = self.handle.spawn(async move {
            let end = bucket.pour(&key, &listed, &sender).await;
            // The receiver may be gone.
            let _ = sender.send(end.map(|()| None)).await;
        });
        Download { parts, part: Bytes::new(), has_ended: false, task: task.abort_handle() }
    }

    async fn pour(&self, key: &str, listed: &Version, sender: &Sender) -> Result<(), Error> {
        let mut tries = self.tries();
        let mut state = State::new(listed);
        loop {
            let before = state.have;
            let Err(mut failure) = self.pour_once(key, &mut state, sender).await else { return Ok(()) };
            if state.have > before {
                tries = self.tries();
            }
            if !state.goes_on(&failure) {
                if state.have > 0 {
                    // Bytes that were read cannot be taken back.
                    failure.again = Again::Never;
                }
                state = State { have: state.have, ..State::new(listed) };
            }
            self.again(&mut tries, failure).await?;
        }
    }

    async fn pour_once(&self, key: &str, state: &mut State, sender: &Sender) -> Result<(), Failure> {
        let mut parts = self.parts(key, state).await?;
        state.must_end()?;
        while let Some(part) = parts.next().await {
            let part = part.map_err(|error| Failure::of_http(&error))?;
            state.add(&part)?;
            if sender.send(Ok(Some(part))).await.is_err() {
                return Ok(());
            }
        }
        state.end()
    }
}

/// The user metadata of an object.
fn metadata(headers: &HeaderMap) -> Vec<(String, String)> {
    let named = headers.iter().filter_map(|(name, value)| Some((name.as_str().strip_prefix("x-amz-meta-")?, value)));
    named.map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

/// The next part, or `None` at the end.
type Sender = mpsc::Sender<Result<Option<Bytes>, Error>>;

/// The bytes of an object, in order. Must not be read on the thread that fetches them.
pub(crate) struct Download {
    parts: mpsc::Receiver<Result<Option<Bytes>, Error>>,
    part: Bytes,
    has_ended: bool,
    task: AbortHandle,
}

impl Drop for Download {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() && !self.has_ended {
            // A missing end means that the scan is being closed.
            let closed = || Err(Error::whole(ErrorKind::Unreadable("the scan was closed".to_owned())));
            let Some(part) = self.parts.blocking_recv().unwrap_or_else(closed).map_err(io::Error::other)? else {
                // Reads after the end return the end again.
                self.has_ended = true;
                return Ok(0);
            };
            self.part = part;
        }
        let length = buffer.len().min(self.part.len());
        buffer[..length].copy_from_slice(&self.part.split_to(length));
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
