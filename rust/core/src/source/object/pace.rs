//! How many requests run at once: more while the store answers, half as many when it asks to slow down.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// Requests at once, at the start and at most. A store with a latency of 50 ms then delivers 5,000 objects a second:
/// a prefix of S3 serves 5,500 a second.
const FIRST: usize = 64;
const MOST: usize = 256;

/// Until the store asks to slow down, the limit grows with every answer; after that, with every full round of answers.
pub(super) struct Pace {
    state: Mutex<State>,
    room: Notify,
}

struct State {
    limit: usize,
    running: usize,
    /// Answers since the limit was last raised or cut.
    answers: usize,
    /// When the limit was last cut.
    cut: Option<Instant>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State { limit: FIRST, running: 0, answers: 0, cut: None }), room: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until another request may start. The request counts as running until the turn is dropped.
    pub(super) async fn turn(&self) -> Turn<'_> {
        while !self.enter() {
            self.room.notified().await;
        }
        Turn { pace: self, started: Instant::now() }
    }

    fn enter(&self) -> bool {
        let mut state = self.state();
        let enters = state.running < state.limit;
        state.running += usize::from(enters);
        enters
    }
}

/// The right to one request.
pub(super) struct Turn<'a> {
    pace: &'a Pace,
    started: Instant,
}

impl Turn<'_> {
    /// Records a successful answer.
    pub(super) fn answered(self) {
        let mut state = self.pace.state();
        state.answers += 1;
        if state.cut.is_none() || state.answers >= state.limit {
            state.limit = (state.limit + 1).min(MOST);
            state.answers = 0;
        }
        drop(state);
        self.pace.room.notify_one();
    }

    /// Records a failed request. Requests that were running when the limit was cut do not cut it again.
    pub(super) fn failed(self, is_throttled: bool) {
        let mut state = self.pace.state();
        if is_throttled && state.cut.is_none_or(|cut| cut < self.started) {
            state.limit = (state.limit / 2).max(1);
            state.answers = 0;
            state.cut = Some(Instant::now());
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pace.state().running -= 1;
        self.pace.room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(pace: &Pace) -> usize {
        pace.state().limit
    }

    #[tokio::test]
    async fn it_grows_until_the_store_asks_to_slow_down() {
        let pace = Pace::new();
        for _ in 0..10 {
            pace.turn().await.answered();
        }
        let reached = FIRST + 10;
        assert_eq!(limit(&pace), reached);
        let (one, other) = (pace.turn().await, pace.turn().await);
        one.failed(true);
        other.failed(true); // of the same burst
        assert_eq!(limit(&pace), reached / 2);
        pace.turn().await.failed(false);
        for _ in 1..reached / 2 {
            pace.turn().await.answered();
        }
        assert_eq!(limit(&pace), reached / 2);
        pace.turn().await.answered();
        assert_eq!(limit(&pace), reached / 2 + 1);
        for _ in 0..20 {
            pace.turn().await.failed(true);
        }
        assert_eq!((limit(&pace), pace.state().running), (1, 0));
    }

    #[tokio::test]
    async fn no_more_run_than_may() {
        let pace = Pace::new();
        pace.state().limit = 2;
        let (one, _other) = (pace.turn().await, pace.turn().await);
        let third = pace.turn();
        tokio::pin!(third);
        assert!(futures_util::poll!(third.as_mut()).is_pending());
        drop(one);
        third.await.failed(true);
    }
}
