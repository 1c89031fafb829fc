//! How many requests are under way at once: more while the store answers, half as many when it asks to slow down.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// Requests at once, at the start and at most. A store on the other side of a 50 ms line then gives 2,500 objects a second.
const FIRST: f64 = 32.0;
const MOST: f64 = 128.0;

/// Additive increase, multiplicative decrease; until the first decrease it grows with every answer.
pub(super) struct Pace {
    state: Mutex<State>,
    room: Notify,
}

struct State {
    limit: f64,
    running: usize,
    /// When the limit was last cut.
    cut: Option<Instant>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State { limit: FIRST, running: 0, cut: None }), room: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until another request may start. It runs until the turn is dropped.
    pub(super) async fn turn(&self) -> Turn<'_> {
        while !self.enter() {
            self.room.notified().await;
        }
        Turn { pace: self, started: Instant::now() }
    }

    fn enter(&self) -> bool {
        let mut state = self.state();
        let enters = state.running < state.limit as usize;
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
    /// The store has answered as asked.
    pub(super) fn answered(self) {
        let mut state = self.pace.state();
        let more = if state.cut.is_some() { state.limit.recip() } else { 1.0 };
        state.limit = (state.limit + more).min(MOST);
        drop(state);
        self.pace.room.notify_one();
    }

    /// The store asks to slow down. Requests that were under way when the limit was cut do not cut it again.
    pub(super) fn throttled(self) {
        let mut state = self.pace.state();
        if state.cut.is_none_or(|cut| cut < self.started) {
            state.limit = (state.limit / 2.0).max(1.0);
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
        pace.state().limit as usize
    }

    #[tokio::test]
    async fn it_grows_until_the_store_asks_to_slow_down() {
        let pace = Pace::new();
        for _ in 0..10 {
            pace.turn().await.answered();
        }
        assert_eq!(limit(&pace), FIRST as usize + 10);
        let (one, other) = (pace.turn().await, pace.turn().await);
        one.throttled();
        other.throttled(); // of the same burst
        assert_eq!(limit(&pace), 21);
        for _ in 0..10 {
            pace.turn().await.answered();
        }
        assert_eq!(limit(&pace), 21);
        for _ in 0..20 {
            pace.turn().await.throttled();
        }
        assert_eq!((limit(&pace), pace.state().running), (1, 0));
    }

    #[tokio::test]
    async fn no_more_run_than_may() {
        let pace = Pace::new();
        pace.state().limit = 2.0;
        let (one, _other) = (pace.turn().await, pace.turn().await);
        let third = pace.turn();
        tokio::pin!(third);
        assert!(futures_util::poll!(third.as_mut()).is_pending());
        drop(one);
        third.await.throttled();
    }
}
