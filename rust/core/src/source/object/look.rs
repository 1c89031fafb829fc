//! Folders and objects one at a time, for whoever waits for each: not for the threads that send requests.

use std::io::Read;

use super::get::Got;
use super::list::{Page, Range};
use super::{Remote, split};
use crate::error::Error;

impl Remote {
    /// The addresses of the folders and of the objects that lie right in a folder.
    pub(crate) fn look_into(&self, folder: &str) -> Result<(Vec<String>, Vec<String>), Error> {
        let (name, prefix) = split(folder);
        let bucket = self.bucket(name);
        let prefix = if prefix.is_empty() || prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
        let mut range = Range { prefix, folders: true, ..Range::default() };
        let (mut folders, mut objects) = (Vec::new(), Vec::new());
        loop {
            let page = self.handle.block_on(bucket.page(&range)).map_err(|error| error.in_file(folder))?;
            folders.extend(page.folders.iter().map(|key| bucket.address(key)));
            // What is called like a folder is what some tools make to have one.
            let named = page.objects.iter().filter(|(key, _)| !key.ends_with('/'));
            objects.extend(named.map(|(key, _)| bucket.address(key)));
            if page.token.is_none() {
                return Ok((folders, objects));
            }
            range.token = page.token;
        }
    }

    /// Whether there is such an object.
    pub(crate) fn has(&self, address: &str) -> Result<bool, Error> {
        let (name, key) = split(address);
        let range = Range { prefix: key.to_owned(), ..Range::default() };
        let Page { objects, .. } =
            self.handle.block_on(self.bucket(name).page(&range)).map_err(|error| error.in_file(address))?;
        Ok(objects.first().is_some_and(|(first, _)| first == key))
    }

    /// An object of at most so many bytes, and what its user has written down about it.
    pub(crate) fn fetch(&self, address: &str, most: u64) -> Result<(Got, Vec<(String, String)>), Error> {
        self.handle.block_on(self.bucket(split(address).0).described(address, None, most))
    }

    /// An object of any size.
    pub(crate) fn read(&self, address: &str, size: u64) -> impl Read + use<> {
        self.bucket(split(address).0).stream(address, Some(size))
    }
}
