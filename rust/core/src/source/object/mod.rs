//! Objects of S3 and of stores that speak its language: listed by the key grammar, fetched many at a time, in bounded memory.
//!
//! The client, the credentials and their renewal are those of the crate `object_store`. What is asked is our own, because a
//! reader of evidence needs keys byte for byte, the store's reason for each refusal, and one hand on tries and pace.

mod access_point;
mod address;
mod bucket_name;
mod client;
mod config;
mod copy;
mod credentials;
mod failure;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzed;
mod get;
mod list;
mod listing;
mod look;
mod pace;
mod region;
mod sign;
mod trail;
mod transport;
mod tree;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use address::is_address;
pub use bucket_name::check as check_bucket;
pub use client::{Bucket, Requests};
pub use config::names as option_names;
pub use copy::{Copied, Copies, Waiting, Wanted};
pub use credentials::Renew;
pub(crate) use get::Got;
pub use object_store::aws::AwsCredential;
use tokio::runtime::{Builder, Handle, Runtime};
pub use words::without_secrets;

use self::address::{SCHEME, split};
use self::client::Counts;
use self::config::Config;
use self::credentials::Credentials;
use self::listing::Listing as Objects;
use super::listed::Source;
use super::{At, Entry, Keys, Listed, Listing, Selection, has_log_ending, path_of, path_text};

/// Threads that send requests and take answers.
const THREADS: usize = 2;

/// The way to the buckets of one scan. It owns its threads and connections; [`Self::close`] cancels what is under way.
pub struct Remote {
    runtime: Mutex<Option<Runtime>>,
    handle: Handle,
    config: Arc<Config>,
    counts: Arc<Counts>,
    buckets: Mutex<HashMap<String, Arc<Bucket>>>,
    process: u32,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote")
    }
}

impl Remote {
    /// Reads the options and the environment, and starts the threads. `renew` replaces what they say about credentials. What is
    /// wrong is told in one sentence.
    pub fn new(options: &BTreeMap<String, String>, renew: Option<Arc<Renew>>) -> Result<Self, String> {
        let environment = std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
        let config = Arc::new(Config::new(options, environment, renew.map(Credentials::renewed))?);
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(THREADS).thread_name("ctfast-io").enable_all().build();
        let runtime = runtime.map_err(|error| format!("cannot start the threads of requests: {error}"))?;
        let handle = runtime.handle().clone();
        let runtime = Mutex::new(Some(runtime));
        Ok(Self { runtime, handle, config, counts: Arc::default(), buckets: Mutex::default(), process: std::process::id() })
    }

    /// Requests so far.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.counts.requests()
    }

    /// Cancels all requests, and ends the threads without waiting for them.
    pub fn close(&self) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        match runtime {
            Some(runtime) if std::process::id() == self.process => runtime.shutdown_background(),
            // Its threads did not come along into this process: there is nothing to end.
            runtime => std::mem::forget(runtime),
        }
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    fn bucket(&self, name: &str) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Bucket::new(name.to_owned(), Arc::clone(&self.config), Arc::clone(&self.counts), self.handle.clone());
        Arc::clone(buckets.entry(name.to_owned()).or_insert_with(|| Arc::new(made())))
    }

    /// The object of an address, as a file to read whose size is not known.
    #[must_use]
    pub fn entry(&self, address: String) -> Entry {
        let (bucket, _) = split(&address);
        Entry { at: At::Bucket(self.bucket(bucket)), key: address, size: None, etag: None, modified: None, first: 0 }
    }

    fn keys(self: &Arc<Self>, address: &str, selection: &Selection) -> Keys {
        let (bucket, key) = split(address);
        if has_log_ending(Path::new(key)) && !key.ends_with('/') {
            return Box::new(std::iter::once(Listed::chosen(self.entry(address.to_owned()), selection)));
        }
        Box::new(Objects::new(&self.bucket(bucket), key, selection.clone()))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.close();
    }
}

/// The files of sources that are named as paths or addresses, in this order. Without `remote`, all of them are paths.
#[must_use]
pub fn keys(sources: Vec<PathBuf>, selection: Selection, remote: Option<Arc<Remote>>) -> Keys {
    Box::new(sources.into_iter().flat_map(move |source| {
        let text = path_text(&source);
        let listed: Keys = match source.to_str().filter(|_| is_address(&source)).zip(remote.as_ref()) {
            Some((address, remote)) => remote.keys(address, &selection),
            None => Box::new(Listing::new(vec![source], selection.clone())),
        };
        Source::new(text, listed, selection.seen.clone())
    }))
}

/// A file that is named: its path or address, and what is known of it.
#[derive(Debug)]
pub struct Named {
    /// Path or address.
    pub source: PathBuf,
    /// Bytes.
    pub size: Option<u64>,
    /// What the store calls its version.
    pub etag: Option<String>,
    /// Its first record that is asked for.
    pub first: u64,
}

/// Files that are named one by one. No folder of a bucket is listed.
#[must_use]
pub fn named(files: Vec<Named>, selection: Selection, remote: Option<Arc<Remote>>) -> Keys {
    Box::new(files.into_iter().flat_map(move |Named { source, size, etag, first }| -> Keys {
        let address = source.to_str().filter(|_| is_address(&source));
        let Some((address, remote)) = address.zip(remote.as_ref()) else {
            let from_first = move |listed| match listed {
                Listed::File(entry) => Listed::File(Entry { first, ..entry }),
                other => other,
            };
            return Box::new(Listing::new(vec![path_of(&source).into_owned()], selection.clone()).map(from_first));
        };
        let entry = Entry { size, etag, first, ..remote.entry(address.to_owned()) };
        Box::new(std::iter::once(Listed::chosen(entry, &selection)))
    }))
}
