//! Objects to files: many at a time, each under its name only when it is whole.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Bucket, Remote, split};
use crate::error::{Error, ErrorKind};
use crate::source::unreadable;

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
}

impl Copies {
    /// Starts to copy these objects.
    #[must_use]
    pub fn start(remote: &Remote, wanted: Vec<Wanted>) -> Self {
        let (sender, ended) = channel();
        let named = wanted.into_iter().enumerate();
        let jobs = named.map(|(number, wanted)| (number, remote.bucket(split(&wanted.address).0), wanted)).collect();
        remote.handle.spawn(run(jobs, sender));
        Self { ended }
    }

    /// The next one that has ended, waiting for it so long at most; `None` when all have, or the way to the bucket was closed.
    pub fn next(&self, patience: Duration) -> Result<Option<Copied>, Waiting> {
        match self.ended.recv_timeout(patience) {
            Ok(copied) => Ok(Some(copied)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(Waiting),
        }
    }
}

/// Nothing has ended yet.
#[derive(Debug)]
pub struct Waiting;

type Job = (usize, Arc<Bucket>, Wanted);

async fn run(mut jobs: VecDeque<Job>, sender: Sender<Copied>) {
    let mut open = JoinSet::new();
    loop {
        while open.len() < OPEN
            && let Some((number, bucket, wanted)) = jobs.pop_front()
        {
            open.spawn(async move { Copied { number, result: copy(&bucket, &wanted).await } });
        }
        match open.join_next().await {
            None => return,
            Some(Ok(copied)) => {
                if sender.send(copied).is_err() {
                    return; // nobody waits for the rest
                }
            }
            // A bug: whoever counts misses one.
            Some(Err(_)) => {}
        }
    }
}

async fn copy(bucket: &Bucket, wanted: &Wanted) -> Result<Vec<(String, String)>, Error> {
    let Wanted { address, size, path } = wanted;
    let refused = |error: std::io::Error| unreadable(&error).in_file(&path.to_string_lossy());
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder).map_err(refused)?;
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".part");
    let part = folder.join(name);
    let mut file = File::create(&part).map_err(refused)?;
    let result = bucket.save(address, *size, &mut file).await;
    drop(file);
    let renamed = result.and_then(|metadata| fs::rename(&part, path).map(|()| metadata).map_err(|error| unreadable(&error)));
    renamed.map_err(|error| {
        // What is left of it would only be in the way.
        let _ = fs::remove_file(&part);
        match error.kind() {
            ErrorKind::Unreadable(_) => error.in_file(&path.to_string_lossy()),
            _ => error.in_file(address),
        }
    })
}
