//! Copies objects to files: many at a time, each under its final name only once it is whole.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, spawn_blocking};

use super::{Bucket, Remote};
use crate::error::{Error, ErrorKind};
use crate::source::storage::{Existing, Storage, make_folders};
use crate::source::{path_text, unwritable};

/// Files that are open at once.
const OPEN: usize = 128;

/// An object to copy.
#[derive(Debug)]
pub struct Wanted {
    /// Its address.
    pub address: String,
    /// Bytes, if they are known.
    pub size: Option<u64>,
    /// Where to write it.
    pub path: PathBuf,
}

/// The result of copying one object.
#[derive(Debug)]
pub struct Copied {
    /// Its index among the objects to copy.
    pub number: usize,
    /// Its user metadata, by name; or why it was not copied.
    pub result: Result<Vec<(String, String)>, Error>,
}

/// Running copies, returned in the order in which they end.
pub struct Copies {
    ended: Receiver<Copied>,
    /// Dropping the sender without a message also stops them.
    stop: Option<oneshot::Sender<()>>,
}

impl Copies {
    /// Starts copying these objects.
    #[must_use]
    pub fn start(remote: &Remote, wanted: Vec<Wanted>) -> Self {
        let (sender, ended) = channel();
        let (stop, stopped) = oneshot::channel();
        let named = wanted.into_iter().enumerate();
        let jobs = named.map(|(number, wanted)| (number, remote.bucket_of(&wanted.address), wanted)).collect();
        remote.handle.spawn(run(jobs, sender, stopped));
        Self { ended, stop: Some(stop) }
    }

    /// The next copy that has ended, waiting for it for `patience` at most; `None` when all have ended, or the
    /// connection was closed.
    pub fn next(&self, patience: Duration) -> Result<Option<Copied>, Waiting> {
        match self.ended.recv_timeout(patience) {
            Ok(copied) => Ok(Some(copied)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(Waiting),
        }
    }

    /// Cancels running copies. Once [`Self::next`] then reports that all have ended, nothing of them is left on disk.
    pub fn stop(&mut self) {
        self.stop = None;
    }
}

/// No further copy has ended yet.
#[derive(Debug)]
pub struct Waiting;

type Job = (usize, Arc<Bucket>, Wanted);

async fn run(mut jobs: VecDeque<Job>, sender: Sender<Copied>, mut stopped: oneshot::Receiver<()>) {
    let mut open = JoinSet::new();
    loop {
        while open.len() < OPEN
            && let Some((number, bucket, wanted)) = jobs.pop_front()
        {
            // The receiver learns that all have ended when the last of these senders is dropped, after its file.
            let sender = sender.clone();
            open.spawn(async move {
                let result = copy(&bucket, wanted, &sender).await;
                // The receiver may be gone.
                let _ = sender.send(Copied { number, result });
            });
        }
        match select(pin!(open.join_next()), &mut stopped).await {
            // A panic is a bug: the caller notices by the count.
            Either::Left((Some(_), _)) => {}
            Either::Left((None, _)) => return,
            Either::Right(_) => break,
        }
    }
    open.shutdown().await;
}

async fn copy(bucket: &Bucket, wanted: Wanted, sender: &Sender<Copied>) -> Result<Vec<(String, String)>, Error> {
    let Wanted { address, size, path } = wanted;
    let refused = |error: &io::Error| unwritable(error).in_file(&path_text(&path));
    let place = path.clone();
    let begin = move || {
        make_folders(place.parent().unwrap_or(Path::new(""))).and_then(|()| Storage::put(&place, Existing::Replace))
    };
    let mut file = on_disk(begin, sender).await.map_err(|error| refused(&error))?;
    let saved = bucket.save(&address, size, file.as_file_mut()).await;
    let metadata = saved.map_err(|error| match error.kind() {
        ErrorKind::Unwritable(_) => error.in_file(&path_text(&path)),
        _ => error.in_file(&address),
    })?;
    on_disk(move || file.finish(), sender).await.map_err(|error| refused(&error))?;
    Ok(metadata)
}

/// Lets a separate thread wait for the disk, while others serve the network.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
    sender: &Sender<Copied>,
) -> io::Result<T> {
    // A blocking task continues after it is cancelled and must be waited for: first its result is dropped, then the
    // sender.
    let sender = sender.clone();
    let done = spawn_blocking(move || (work(), sender)).await;
    done.map_or_else(|_| Err(io::Error::other("the copy broke off")), |(result, _)| result)
}
