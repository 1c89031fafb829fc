//! Passes the keys of a bucket from the threads that list it to the thread that reads them.

use std::sync::Arc;
use std::vec;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::client::Bucket;
use super::tree::Tree;
use crate::error::{Error, ErrorKind};
use crate::source::{Listed, Sieve};

/// The most pages that wait for their reader outside of the tree.
const PAGES: usize = 4;

/// The keys below a prefix, in order. Must not be read on the threads that list.
pub(super) struct Listing {
    parts: mpsc::Receiver<Message>,
    part: vec::IntoIter<Listed>,
    has_ended: bool,
    task: AbortHandle,
}

/// The next steps, or `None` at the end.
type Message = Option<Vec<Listed>>;

impl Listing {
    pub(super) fn new(bucket: &Arc<Bucket>, prefix: &str, sieve: Sieve) -> Self {
        let (sender, parts) = mpsc::channel(PAGES);
        let tree = Tree::new(Arc::clone(bucket), prefix, sieve);
        let task = bucket.handle.spawn(run(Arc::clone(bucket), tree, sender)).abort_handle();
        Self { parts, part: Vec::new().into_iter(), has_ended: false, task }
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Lists until everything is sent, or the receiver is gone.
async fn run(bucket: Arc<Bucket>, mut tree: Tree, sender: mpsc::Sender<Message>) {
    let mut pages = JoinSet::new();
    loop {
        while let Some(found) = tree.take() {
            if sender.send(Some(found)).await.is_err() {
                return;
            }
        }
        while let Some((number, range)) = tree.begin() {
            let bucket = Arc::clone(&bucket);
            pages.spawn(async move { (number, bucket.page(&range).await.map_err(|error| (range, error))) });
        }
        let answer = match pages.join_next().await {
            None if tree.is_done() => Ok(true),
            Some(Ok((number, Ok(page)))) => tree.answer(number, page).map(|()| false),
            Some(Ok((_, Err((range, error))))) => Err(error.in_file(&bucket.address(&range.prefix))),
            None | Some(Err(_)) => Err(Error::whole(ErrorKind::Bug)),
        };
        let last = match answer {
            Ok(false) => continue,
            Ok(true) => None,
            Err(error) => Some(vec![Listed::Broken(error)]),
        };
        // The receiver may be gone.
        let _ = sender.send(last).await;
        return;
    }
}

impl Iterator for Listing {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        loop {
            if let Some(listed) = self.part.next() {
                return Some(listed);
            }
            if self.has_ended {
                return None;
            }
            match self.parts.blocking_recv() {
                Some(Some(part)) => self.part = part.into_iter(),
                Some(None) => self.has_ended = true,
                // The listing task ended without a result: that is not the end of the list.
                None => {
                    self.has_ended = true;
                    return Some(Listed::Broken(Error::whole(ErrorKind::Bug)));
                }
            }
        }
    }
}
