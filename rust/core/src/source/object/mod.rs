//! Objects of S3 and of compatible stores: listed by the key grammar, fetched many at a time, in bounded memory.
//!
//! The client, the credentials and their renewal are those of the crate `object_store`. The requests are our own,
//! because a reader of evidence needs keys byte for byte, the store's reason for each refusal, and one place that
//! governs retries and pace.

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
mod versioned;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

pub use address::is_address;
pub use bucket_name::check as check_bucket;
pub use client::{Bucket, Requests};
pub use config::names as option_names;
pub use copy::{Copied, Copies, Waiting, Wanted};
pub use credentials::Renew;
pub(crate) use get::{Got, Version};
pub use object_store::aws::AwsCredential;
use tokio::runtime::{Builder, Handle, Runtime};
pub use words::without_secrets;

use self::address::{SCHEME, split};
use self::client::Counts;
use self::config::Config;
use self::credentials::Credentials;
use self::listing::Listing as Objects;
use super::{At, Entry, Keys, Listed, Sieve, has_log_ending};

/// Number of threads that send requests and receive answers.
const THREADS: usize = 2;

/// The connection to the buckets of a scan. It owns its threads and sockets; [`Self::close`] cancels running requests.
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
    /// Reads the options and the environment, and starts the threads. `renew` overrides their credentials. An error is
    /// one sentence.
    pub fn new(options: &BTreeMap<String, String>, renew: Option<Arc<Renew>>) -> Result<Self, String> {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
        let config = Arc::new(Config::new(options, environment, renew.map(Credentials::renewed))?);
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(THREADS).thread_name("ctfast-io").enable_all().build();
        let runtime = runtime.map_err(|error| format!("cannot start the threads of requests: {error}"))?;
        let handle = runtime.handle().clone();
        let runtime = Mutex::new(Some(runtime));
        Ok(Self {
            runtime,
            handle,
            config,
            counts: Arc::default(),
            buckets: Mutex::default(),
            process: std::process::id(),
        })
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.counts.requests()
    }

    /// Cancels all requests, and ends the threads without waiting for them.
    pub fn close(&self) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        match runtime {
            Some(runtime) if std::process::id() == self.process => runtime.shutdown_background(),
            // After a fork, its threads do not exist in this process: there is nothing to end.
            runtime => std::mem::forget(runtime),
        }
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The bucket that an address is in.
    pub(in crate::source) fn bucket_of(&self, address: &str) -> Arc<Bucket> {
        self.bucket(split(address).0)
    }

    fn bucket(&self, name: &str) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let made =
            || Bucket::new(name.to_owned(), Arc::clone(&self.config), Arc::clone(&self.counts), self.handle.clone());
        Arc::clone(buckets.entry(name.to_owned()).or_insert_with(|| Arc::new(made())))
    }

    /// The object of an address, as a file to read of unknown size.
    #[must_use]
    pub fn entry(&self, address: String) -> Entry {
        Entry {
            at: At::Bucket(self.bucket_of(&address)),
            key: address,
            size: None,
            etag: None,
            modified: None,
            archived: None,
            first: 0,
            is_planned: false,
        }
    }

    /// The objects below an address, or the object that it names.
    pub(in crate::source) fn keys(&self, address: &str, sieve: &Sieve) -> Keys {
        let (bucket, key) = split(address);
        if has_log_ending(Path::new(key)) && !key.ends_with('/') {
            return Box::new(std::iter::once(Listed::chosen(self.entry(address.to_owned()), sieve)));
        }
        Box::new(Objects::new(&self.bucket(bucket), key, sieve.clone()))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.close();
    }
}
