//! Objects to files: many at a time, each under its name only when it is whole.

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

use super::{Bucket, Remote, split};
use crate::error::{Error, ErrorKind};
use crate::source::storage::{Existing, NewFile, make_folders};
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
    /// Where it goes.
    pub path: PathBuf,
}

/// What became of one of them.
#[derive(Debug)]
pub struct Copied {
    /// Its place among those that were wanted.
    pub number: usize,
    /// What is written down about it, by name; or why it is not there.
    pub result: Result<Vec<(String, String)>, Error>,
}

/// Copies that are under way, to be taken in the order in which they end.
pub struct Copies {
    ended: Receiver<Copied>,
    /// Going without a word tells them to stop, too.
    stop: Option<oneshot::Sender<()>>,
}

impl Copies {
    /// Starts to copy these objects.
    #[must_use]
    pub fn start(remote: &Remote, wanted: Vec<Wanted>) -> Self {
        let (sender, ended) = channel();
        let (stop, stopped) = oneshot::channel();
        let named = wanted.into_iter().enumerate();
        let jobs = named.map(|(number, wanted)| (number, remote.bucket(split(&wanted.address).0), wanted)).collect();
        remote.handle.spawn(run(jobs, sender, stopped));
        Self { ended, stop: Some(stop) }
    }

    /// The next one that has ended, waiting for it so long at most; `None` when all have, or the way to the bucket was closed.
    pub fn next(&self, patience: Duration) -> Result<Option<Copied>, Waiting> {
        match self.ended.recv_timeout(patience) {
            Ok(copied) => Ok(Some(copied)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(Waiting),
        }
    }

    /// Gives up what is under way. When [`Self::next`] then says that all have ended, nothing of it is left on the disk.
    pub fn stop(&mut self) {
        self.stop = None;
    }
}

/// Nothing has ended yet.
#[derive(Debug)]
pub struct Waiting;

type Job = (usize, Arc<Bucket>, Wanted);

async fn run(mut jobs: VecDeque<Job>, sender: Sender<Copied>, mut stopped: oneshot::Receiver<()>) {
    let mut open = JoinSet::new();
    loop {
        while open.len() < OPEN
            && let Some((number, bucket, wanted)) = jobs.pop_front()
        {
            // The other end hears of the end of all when the last of these has gone, after its file.
            let sender = sender.clone();
            open.spawn(async move {
                let result = copy(&bucket, wanted, &sender).await;
                // Nobody waits for it any more, perhaps.
                let _ = sender.send(Copied { number, result });
            });
        }
        match select(pin!(open.join_next()), &mut stopped).await {
            // One that has panicked is a bug: whoever counts misses it.
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
    let begin =
        move || make_folders(place.parent().unwrap_or(Path::new(""))).and_then(|()| NewFile::create(&place, Existing::Replace));
    let mut file = on_disk(begin, sender).await.map_err(|error| refused(&error))?;
    let saved = bucket.save(&address, size, file.as_file_mut()).await;
    let metadata = saved.map_err(|error| match error.kind() {
        ErrorKind::Unwritable(_) => error.in_file(&path_text(&path)),
        _ => error.in_file(&address),
    })?;
    on_disk(move || file.finish(), sender).await.map_err(|error| refused(&error))?;
    Ok(metadata)
}

/// Lets a thread of its own wait for the disk, while others see to the network.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
    sender: &Sender<Copied>,
) -> io::Result<T> {
    // It goes on when the task is given up, and so it has to be waited for: what it gives is dropped first, the sender after it.
    let sender = sender.clone();
    let done = spawn_blocking(move || (work(), sender)).await;
    done.map_or_else(|_| Err(io::Error::other("the copy broke off")), |(result, _)| result)
}
