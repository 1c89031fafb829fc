//! Work on many items by some workers, each of which keeps what it needs.

use std::sync::{Mutex, PoisonError};

/// Lets all workers work on some items.
pub(super) fn each<W: Send, T: Send>(workers: &mut [W], items: &mut [T], work: impl Fn(&mut W, &mut T) + Sync) {
    const CHUNK: usize = 32;
    let (first, rest) = workers.split_first_mut().expect("at least one worker");
    if rest.is_empty() || items.len() < 2 {
        return items.iter_mut().for_each(|item| work(first, item));
    }
    let chunk = (items.len() / (8 * (rest.len() + 1))).clamp(1, CHUNK);
    let queue = Mutex::new(items.chunks_mut(chunk));
    let run = |worker: &mut W| {
        loop {
            let chunk = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(chunk) = chunk else { break };
            for item in chunk {
                work(worker, item);
            }
        }
    };
    std::thread::scope(|scope| {
        for worker in rest {
            scope.spawn(|| run(worker));
        }
        run(first);
    });
}
