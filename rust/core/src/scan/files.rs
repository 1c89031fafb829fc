//! Files on their way to the workers: in order, with objects of buckets prefetched as far as there is room.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::error::{Error, ErrorKind};
use crate::source::object::{Bucket, Got, Remote, Version};
use crate::source::{At, Entry, Keys, Listed, is_whole};

/// Limits on bodies that are being fetched or wait for a worker: their number, and their bytes.
const BODIES: usize = 256;
const BYTES: u64 = 64 << 20;
/// Bytes reserved for an object whose size the listing does not tell; a larger one is streamed.
const UNKNOWN: u64 = 512 << 10;
/// The most steps of a listing that wait for a worker.
const STEPS: usize = 4 << 10;

/// Where workers take files from.
pub(super) enum Files {
    /// Directly from their source.
    Direct(Keys),
    /// From a thread that prefetches.
    Ahead(Arc<Ahead>),
}

/// A step of a listing, and the body of the file if that is being fetched.
pub(super) struct Item {
    pub(super) listed: Listed,
    pub(super) fetch: Option<Fetch>,
}

/// The body of an object that is being fetched. It occupies its room until it is dropped, which cancels the request.
pub(super) struct Fetch {
    got: Receiver<Result<Got, Error>>,
    task: AbortHandle,
    bytes: u64,
    ahead: Arc<Ahead>,
}

impl Files {
    /// The next file. A worker that has some already does not wait for files that are not listed yet.
    pub(super) fn next(&mut self, has_some: bool) -> Option<Item> {
        match self {
            Self::Direct(keys) => keys.next().map(|listed| Item { listed, fetch: None }),
            Self::Ahead(ahead) => ahead.pop(!has_some),
        }
    }
}

/// The result of waiting for a body.
pub(super) enum Wait {
    Got(Result<Got, Error>),
    /// It has not come yet: there is time for other work.
    Late,
    /// The fetching task has ended without a result.
    Gone,
}

impl Fetch {
    /// Waits for the body, for `patience` at most.
    pub(super) fn wait(&self, patience: Duration) -> Wait {
        match self.got.recv_timeout(patience) {
            Ok(got) => Wait::Got(got),
            Err(RecvTimeoutError::Timeout) => Wait::Late,
            Err(RecvTimeoutError::Disconnected) => Wait::Gone,
        }
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.task.abort();
        let mut state = self.ahead.state();
        state.bodies -= 1;
        state.bytes -= self.bytes;
        self.ahead.changed.notify_all();
    }
}

/// The queue between the prefetching thread and the workers.
#[derive(Default)]
pub(super) struct Ahead {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    bodies: usize,
    bytes: u64,
    has_ended: bool,
    closed: bool,
}

impl Ahead {
    /// Starts a thread that takes keys from their source and starts fetching their objects.
    pub(super) fn start(keys: Keys, remote: &Remote) -> std::io::Result<(Arc<Self>, JoinHandle<()>)> {
        let ahead = Arc::new(Self::default());
        let (shared, handle) = (Arc::clone(&ahead), remote.handle().clone());
        let run = move || {
            let _end = End(&shared);
            for listed in keys {
                if !shared.push(listed, &handle) {
                    return;
                }
            }
        };
        let thread = Builder::new().name("ctfast-keys".to_owned()).spawn(run)?;
        Ok((ahead, thread))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a step when there is room; `false` when the queue is closed.
    fn push(self: &Arc<Self>, listed: Listed, handle: &Handle) -> bool {
        let wanted = fetched(&listed);
        let bytes = wanted.map(|(.., bytes)| bytes);
        let is_full = |state: &mut State| {
            let too_many =
                bytes.is_some_and(|bytes| state.bodies >= BODIES || state.bodies > 0 && state.bytes + bytes > BYTES);
            !state.closed && (state.items.len() >= STEPS || too_many)
        };
        let mut state = self.changed.wait_while(self.state(), is_full).unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return false;
        }
        let fetch = wanted.map(|(entry, bucket, bytes)| {
            state.bodies += 1;
            state.bytes += bytes;
            let (got, task) = fetch(entry, bucket, bytes, handle);
            Fetch { got, task, bytes, ahead: Arc::clone(self) }
        });
        state.items.push_back(Item { listed, fetch });
        self.changed.notify_all();
        true
    }

    /// The next step; `None` at the end and, without `waits`, if there is none yet.
    fn pop(&self, waits: bool) -> Option<Item> {
        let is_empty = |state: &mut State| waits && state.items.is_empty() && !state.has_ended && !state.closed;
        let mut state = self.changed.wait_while(self.state(), is_empty).unwrap_or_else(PoisonError::into_inner);
        let item = state.items.pop_front();
        if item.is_some() {
            self.changed.notify_all();
        }
        item
    }

    /// Closes the queue: no more steps will be taken.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let items = std::mem::take(&mut state.items);
        drop(state);
        // Dropping a body releases its room, for which it takes the lock.
        drop(items);
        self.changed.notify_all();
    }
}

/// Tells the workers that no more files will come, or that it is unknown whether there are more.
struct End<'a>(&'a Ahead);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.has_ended = true;
        if std::thread::panicking() {
            let listed = Listed::Broken(Error::whole(ErrorKind::Bug));
            state.items.push_back(Item { listed, fetch: None });
        }
        drop(state);
        self.0.changed.notify_all();
    }
}

/// An object to be prefetched, and the bytes to reserve for it.
fn fetched(listed: &Listed) -> Option<(&Entry, &Arc<Bucket>, u64)> {
    let Listed::File(entry) = listed else { return None };
    let At::Bucket(bucket) = &entry.at else { return None };
    Some((entry, bucket, entry.size.unwrap_or(UNKNOWN))).filter(|(.., bytes)| is_whole(*bytes))
}

fn fetch(
    entry: &Entry,
    bucket: &Arc<Bucket>,
    most: u64,
    handle: &Handle,
) -> (Receiver<Result<Got, Error>>, AbortHandle) {
    let (sender, got) = channel();
    let (bucket, address) = (Arc::clone(bucket), entry.key.clone());
    let version = Version { length: entry.size, tag: entry.etag.clone().filter(|_| entry.is_planned) };
    let task = handle.spawn(async move {
        // The receiver is gone when the scan was closed.
        let _ = sender.send(bucket.get(&address, version, most).await);
    });
    (got, task.abort_handle())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;
    use crate::source::Skip;

    fn remote() -> Remote {
        let options = BTreeMap::from([("skip_signature".to_owned(), "true".to_owned())]);
        Remote::new(&options, None).expect("a client")
    }

    fn skipped(reason: Skip) -> Listed {
        let at = At::Disk(PathBuf::new());
        Listed::Skipped(
            Entry {
                key: String::new(),
                at,
                size: None,
                etag: None,
                modified: None,
                archived: None,
                first: 0,
                is_planned: false,
            },
            reason,
        )
    }

    #[test]
    fn steps_come_in_order_and_then_the_end() {
        let steps = [Skip::Name, Skip::Digest, Skip::Time];
        let (ahead, thread) = Ahead::start(Box::new(steps.into_iter().map(skipped)), &remote()).expect("a thread");
        let mut files = Files::Ahead(ahead);
        let taken: Vec<_> = std::iter::from_fn(|| files.next(false)).map(|item| item.listed).collect();
        assert!(matches!(
            taken[..],
            [Listed::Skipped(_, Skip::Name), Listed::Skipped(_, Skip::Digest), Listed::Skipped(_, Skip::Time)]
        ));
        thread.join().expect("no panic");
    }

    #[test]
    fn a_source_that_breaks_down_is_no_end() {
        let keys = std::iter::once(skipped(Skip::Name)).chain(std::iter::from_fn(|| panic!("a bug")));
        let (ahead, thread) = Ahead::start(Box::new(keys), &remote()).expect("a thread");
        assert!(thread.join().is_err());
        let mut files = Files::Ahead(ahead);
        assert!(matches!(files.next(false).map(|item| item.listed), Some(Listed::Skipped(..))));
        let next = files.next(false).map(|item| item.listed);
        assert!(matches!(next, Some(Listed::Broken(error)) if *error.kind() == ErrorKind::Bug));
        assert!(files.next(false).is_none());
    }

    #[test]
    fn closing_frees_who_waits() {
        let endless = std::iter::repeat_with(|| skipped(Skip::Name));
        let (ahead, thread) = Ahead::start(Box::new(endless), &remote()).expect("a thread");
        while ahead.state().items.len() < STEPS {
            std::thread::yield_now();
        }
        ahead.close();
        thread.join().expect("no panic");
        assert!(ahead.pop(true).is_none());
    }
}
