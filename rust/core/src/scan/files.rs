//! Files on their way to the workers: in order, and objects of buckets fetched ahead, as many as there is room for.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::bounds::STORED_WHOLE;
use crate::error::{Error, ErrorKind};
use crate::source::object::{Bucket, Got, Remote};
use crate::source::{At, Entry, Keys, Listed};

/// Bodies that are fetched, or wait for a worker, and their bytes.
const BODIES: usize = 256;
const BYTES: u64 = 64 << 20;
/// What an object may have whose size the listing does not tell; if it has more, it is streamed.
const UNKNOWN: u64 = 512 << 10;
/// Steps of a listing that wait for a worker.
const STEPS: usize = 4 << 10;

/// Where workers take files from.
pub(super) enum Files {
    /// Straight from their source.
    Direct(Keys),
    /// From a thread that looks ahead.
    Ahead(Arc<Ahead>),
}

/// A step of a listing, and the body of the file if that is under way.
pub(super) struct Item {
    pub(super) listed: Listed,
    pub(super) body: Option<Body>,
}

/// The body of an object that is being fetched. It takes up its room until it is dropped; then nobody fetches it any more.
pub(super) struct Body {
    got: Receiver<Result<Got, Error>>,
    task: AbortHandle,
    bytes: u64,
    ahead: Arc<Ahead>,
}

impl Files {
    /// The next file. When some are at hand already, those that are not yet listed are not waited for.
    pub(super) fn next(&mut self, has_some: bool) -> Option<Item> {
        match self {
            Self::Direct(keys) => keys.next().map(|listed| Item { listed, body: None }),
            Self::Ahead(ahead) => ahead.pop(!has_some),
        }
    }
}

/// What a wait for a body has come to.
pub(super) enum Wait {
    Got(Result<Got, Error>),
    /// It is late: there is time for other work.
    Late,
    /// The fetcher has hung up without an error.
    Gone,
}

impl Body {
    /// Waits for the body, so long at most.
    pub(super) fn wait(&self, patience: Duration) -> Wait {
        match self.got.recv_timeout(patience) {
            Ok(got) => Wait::Got(got),
            Err(RecvTimeoutError::Timeout) => Wait::Late,
            Err(RecvTimeoutError::Disconnected) => Wait::Gone,
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.task.abort();
        let mut state = self.ahead.state();
        state.bodies -= 1;
        state.bytes -= self.bytes;
        self.ahead.changed.notify_all();
    }
}

/// The queue between the thread that looks ahead and the workers.
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
    /// Starts a thread that takes keys from their source, and has their objects fetched.
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

    /// Adds a step when there is room; `false` when nobody wants it.
    fn push(self: &Arc<Self>, listed: Listed, handle: &Handle) -> bool {
        let wanted = fetched(&listed);
        let bytes = wanted.map(|(.., bytes)| bytes);
        let is_full = |state: &mut State| {
            let too_many = bytes.is_some_and(|bytes| state.bodies >= BODIES || state.bodies > 0 && state.bytes + bytes > BYTES);
            !state.closed && (state.items.len() >= STEPS || too_many)
        };
        let mut state = self.changed.wait_while(self.state(), is_full).unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return false;
        }
        let body = wanted.map(|(entry, bucket, bytes)| {
            state.bodies += 1;
            state.bytes += bytes;
            let (got, task) = fetch(entry, bucket, handle);
            Body { got, task, bytes, ahead: Arc::clone(self) }
        });
        state.items.push_back(Item { listed, body });
        self.changed.notify_all();
        true
    }

    /// The next step, if there is one or it is to be waited for.
    fn pop(&self, waits: bool) -> Option<Item> {
        let is_empty = |state: &mut State| waits && state.items.is_empty() && !state.has_ended && !state.closed;
        let mut state = self.changed.wait_while(self.state(), is_empty).unwrap_or_else(PoisonError::into_inner);
        let item = state.items.pop_front();
        if item.is_some() {
            self.changed.notify_all();
        }
        item
    }

    /// Nobody will take anything any more.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let items = std::mem::take(&mut state.items);
        drop(state);
        // Bodies give their room back as they are dropped, for which they need the lock.
        drop(items);
        self.changed.notify_all();
    }
}

/// Tells the workers that no more files come, or that nobody knows whether more should.
struct End<'a>(&'a Ahead);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.has_ended = true;
        if std::thread::panicking() {
            let listed = Listed::Broken(Error::whole(ErrorKind::Bug));
            state.items.push_back(Item { listed, body: None });
        }
        drop(state);
        self.0.changed.notify_all();
    }
}

/// An object to be fetched ahead, and the bytes to keep room for.
fn fetched(listed: &Listed) -> Option<(&Entry, &Arc<Bucket>, u64)> {
    let Listed::File(entry) = listed else { return None };
    let At::Bucket(bucket) = &entry.at else { return None };
    Some((entry, bucket, entry.size.unwrap_or(UNKNOWN))).filter(|(.., bytes)| *bytes <= STORED_WHOLE)
}

fn fetch(entry: &Entry, bucket: &Arc<Bucket>, handle: &Handle) -> (Receiver<Result<Got, Error>>, AbortHandle) {
    let (sender, got) = channel();
    let (bucket, address, size) = (Arc::clone(bucket), entry.key.clone(), entry.size);
    let task = handle.spawn(async move {
        let most = if size.is_some() { STORED_WHOLE } else { UNKNOWN };
        // Nobody takes it when the scan was closed.
        let _ = sender.send(bucket.get(&address, size, most).await);
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
        Listed::Skipped(Entry { key: String::new(), at, size: None, etag: None, modified: None, first: 0 }, reason)
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
        assert!(
            matches!(files.next(false).map(|item| item.listed), Some(Listed::Broken(error)) if *error.kind() == ErrorKind::Bug)
        );
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
