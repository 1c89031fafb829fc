//! Folders and objects one at a time, for callers that block on each: not for the threads that send requests.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::get::Got;
use super::list::{Page, Range};
use super::trail::Trail;
use super::{Bucket, Remote, split};
use crate::error::{Error, ErrorKind};

impl Remote {
    /// Waits for an answer. [`Remote::close`] ends the wait.
    fn wait<T: Send + 'static>(
        &self,
        answer: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, got) = oneshot::channel();
        self.handle.spawn(async move {
            // The receiver waits below.
            let _ = sender.send(answer.await);
        });
        got.blocking_recv()
            .unwrap_or_else(|_| Err(Error::whole(ErrorKind::Unreadable("the connections were closed".to_owned()))))
    }

    fn page(&self, bucket: &str, range: &Range) -> Result<Page, Error> {
        let (bucket, range) = (self.bucket(bucket), range.clone());
        self.wait(
            async move { bucket.page(&range).await.map_err(|error| error.in_file(&bucket.address(&range.prefix))) },
        )
    }

    /// The addresses of the folders and objects directly in a folder.
    pub(crate) fn look_into(&self, folder: &str) -> Result<(Vec<String>, Vec<String>), Error> {
        let (name, prefix) = split(folder);
        let bucket = self.bucket(name);
        let prefix = if prefix.is_empty() || prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
        let mut range = Range { prefix, folders: true, ..Range::default() };
        let (mut folders, mut objects, mut trail) = (Vec::new(), Vec::new(), Trail::default());
        loop {
            let page = self.page(name, &range)?;
            folders.extend(page.folders.iter().map(|key| bucket.address(key)));
            // An object named like a folder is a marker that some tools create for it.
            let named = page.objects.iter().filter(|object| !object.key.ends_with('/'));
            objects.extend(named.map(|object| bucket.address(&object.key)));
            if page.token.is_none() {
                return Ok((folders, objects));
            }
            trail.follow(&page).map_err(|error| error.in_file(folder))?;
            range.token = page.token;
        }
    }

    /// Whether the object exists.
    pub(crate) fn has(&self, address: &str) -> Result<bool, Error> {
        let (bucket, key) = split(address);
        let mut range = Range { prefix: key.to_owned(), ..Range::default() };
        let mut trail = Trail::default();
        loop {
            let page = self.page(bucket, &range)?;
            if page.token.is_none() || !page.objects.is_empty() {
                return Ok(page.objects.first().is_some_and(|first| first.key == key));
            }
            trail.follow(&page).map_err(|error| error.in_file(address))?;
            range.token = page.token;
        }
    }

    /// An object of at most this many bytes, and its user metadata.
    pub(crate) fn fetch(
        &self,
        bucket: &Arc<Bucket>,
        address: &str,
        most: u64,
    ) -> Result<(Got, Vec<(String, String)>), Error> {
        let (bucket, address) = (Arc::clone(bucket), address.to_owned());
        self.wait(async move { bucket.described(&address, None, most).await })
    }
}
