//! Outputs of many workers in the order of their tasks, with bounded room for those that are early.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow_array::RecordBatch;

use super::report::Report;
use crate::dedupe::key::RowKeys;
use crate::error::Error;
use crate::ledger::Row;

/// A part of what a task gives.
#[derive(Default)]
pub(super) struct Output {
    pub(super) batch: Option<RecordBatch>,
    /// Those of its rows, if they are wanted.
    pub(super) keys: RowKeys,
    /// What happened since the last part.
    pub(super) report: Report,
    /// What became of the files since then, if that was asked for: each with the number of rows of the batch up to its end.
    pub(super) ledger: Vec<(usize, Row)>,
    /// Why the scan ends here.
    pub(super) error: Option<Error>,
}

/// What the reader of the scan is given.
#[expect(clippy::large_enum_variant, reason = "one at a time, moved once")]
pub(super) enum Taken {
    Output(Output),
    End,
}

/// Number of a task: its place in the order.
pub(super) type Turn = u64;

/// The queue between workers and reader.
pub(super) struct Order {
    state: Mutex<State>,
    /// An output has come, or the end.
    produced: Condvar,
    /// There is room again, or the scan is closed.
    room: Condvar,
    /// Tasks that may be under way or waiting to be read: one per worker. Twice as many made
    /// narrow reads 4 % faster, but let peaks of memory grow with the archive.
    window: u64,
}

#[derive(Default)]
struct State {
    /// The task that is read now.
    head: Turn,
    /// The task that is handed out next.
    next: Turn,
    /// Outputs of the tasks from `head` on.
    tasks: VecDeque<Task>,
    /// No more tasks will come.
    ended: bool,
    closed: bool,
}

#[derive(Default)]
struct Task {
    outputs: VecDeque<Output>,
    done: bool,
}

/// Outputs that a task may have waiting. With two, peaks of memory were a quarter higher.
const OUTPUTS: usize = 1;

impl Order {
    pub(super) fn new(workers: usize) -> Self {
        Self { state: Mutex::default(), produced: Condvar::new(), room: Condvar::new(), window: workers as u64 }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until another task may be under way; `false` when none should be.
    pub(super) fn wait_for_room(&self) -> bool {
        let state = self.room.wait_while(self.state(), |state| !state.closed && state.next >= state.head + self.window);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        !state.closed && !state.ended
    }

    /// The place of a new task. Called in the order of the files.
    pub(super) fn begin(&self) -> Turn {
        let mut state = self.state();
        state.tasks.push_back(Task::default());
        state.next += 1;
        state.next - 1
    }

    /// No more tasks will come.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.produced.notify_all();
        self.room.notify_all();
    }

    /// Hands over a part, when there is room; `false` when nobody wants it.
    pub(super) fn put(&self, turn: Turn, output: Output) -> bool {
        let full = |state: &mut State| {
            let task = &state.tasks[(turn - state.head) as usize];
            !state.closed && task.outputs.len() >= OUTPUTS
        };
        let mut state = self.room.wait_while(self.state(), full).unwrap_or_else(PoisonError::into_inner);
        let task = (turn - state.head) as usize;
        if !state.closed {
            state.tasks[task].outputs.push_back(output);
            self.produced.notify_all();
        }
        !state.closed
    }

    /// The task has given all its parts.
    pub(super) fn finish(&self, turn: Turn) {
        let mut state = self.state();
        let task = (turn - state.head) as usize;
        state.tasks[task].done = true;
        self.produced.notify_all();
    }

    /// The next part in order; `None` when it has not come in time.
    pub(super) fn take(&self, patience: Duration) -> Option<Taken> {
        let nothing = |state: &mut State| {
            let waits = state.tasks.front().map_or(!state.ended, |task| task.outputs.is_empty() && !task.done);
            waits && !state.closed
        };
        let (mut state, _) =
            self.produced.wait_timeout_while(self.state(), patience, nothing).unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Some(Taken::End);
        }
        while let Some(task) = state.tasks.front_mut() {
            if let Some(output) = task.outputs.pop_front() {
                self.room.notify_all();
                return Some(Taken::Output(output));
            }
            if !task.done {
                return None;
            }
            state.tasks.pop_front();
            state.head += 1;
            self.room.notify_all();
        }
        state.ended.then_some(Taken::End)
    }

    /// Whether nobody will take anything any more.
    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Nobody will take anything any more.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.produced.notify_all();
        self.room.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(number: u64) -> Output {
        Output { report: Report { files_read: number, ..Report::default() }, ..Output::default() }
    }

    #[test]
    fn parts_come_in_the_order_of_the_tasks() {
        let order = Order::new(2);
        let (first, second) = (order.begin(), order.begin());
        assert!(order.put(second, output(3)));
        order.finish(second);
        order.end();
        assert!(order.take(Duration::ZERO).is_none());
        let numbers: Vec<_> = std::thread::scope(|scope| {
            scope.spawn(|| {
                assert!(order.put(first, output(1)) && order.put(first, output(2)));
                order.finish(first);
            });
            let mut outputs = std::iter::repeat_with(|| order.take(Duration::from_secs(60)));
            let number = |taken| match taken {
                Some(Taken::Output(output)) => Some(output.report.files_read),
                Some(Taken::End) | None => None,
            };
            std::iter::from_fn(|| outputs.next().and_then(number)).collect()
        });
        assert_eq!(numbers, [1, 2, 3]);
        assert!(matches!(order.take(Duration::ZERO), Some(Taken::End)));
    }

    #[test]
    fn a_closed_order_frees_its_workers() {
        let order = Order::new(1);
        let turn = order.begin();
        assert!(order.put(turn, output(1)));
        std::thread::scope(|scope| {
            let blocked = scope.spawn(|| order.put(turn, output(2)));
            order.close();
            assert!(!blocked.join().expect("no panic"));
        });
        assert!(!order.wait_for_room());
    }
}
