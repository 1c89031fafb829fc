//! Outputs of many workers in the order of their tasks, with bounded room for outputs that are early.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow_array::{Array, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_data::ArrayData;

use super::report::Report;
use crate::bounds::{NOTED, ORDER_BYTES, ORDER_TASKS};
use crate::dedupe::key::RowKeys;
use crate::error::Error;
use crate::ledger::Row;

/// A part of the output of a task.
#[derive(Default)]
pub(super) struct Output {
    pub(super) batch: Option<RecordBatch>,
    /// The keys of its rows, if they are wanted.
    pub(super) keys: RowKeys,
    /// What happened since the last part.
    pub(super) report: Report,
    /// What became of the files since the last part, if a ledger is kept: each with the number of rows of the batch up
    /// to its end.
    pub(super) ledger: Vec<(usize, Row)>,
    /// Why the scan ends here.
    pub(super) error: Option<Error>,
}

/// What the reader of the scan receives.
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
    /// An output was added, or the end was reached.
    produced: Condvar,
    /// There is room again, or the scan is closed.
    room: Condvar,
    /// Tasks that may be running or waiting to be read.
    tasks: u64,
    /// Bytes of outputs that may wait besides the one that is read next.
    bytes: usize,
}

#[derive(Default)]
struct State {
    /// The task that is being read.
    head: Turn,
    /// The task that is handed out next.
    next: Turn,
    /// Outputs of the tasks from `head` on.
    tasks: VecDeque<Task>,
    /// Bytes of these outputs.
    waiting: usize,
    /// No more tasks will come.
    ended: bool,
    closed: bool,
}

#[derive(Default)]
struct Task {
    outputs: VecDeque<(Output, usize)>,
    done: bool,
}

impl Output {
    /// The memory that it holds.
    fn bytes(&self) -> usize {
        let rows = self.batch.as_ref().map_or(0, held);
        rows + self.keys.bytes() + (self.ledger.len() + self.report.bad.len() + self.report.warnings.len()) * NOTED
    }
}

/// The memory that the columns of a batch hold; those that share a buffer hold it once.
fn held(batch: &RecordBatch) -> usize {
    fn visit(data: &ArrayData, seen: &mut HashMap<*const u8, usize>) {
        let nulls = data.nulls().map(NullBuffer::buffer);
        seen.extend(
            data.buffers()
                .iter()
                .chain(nulls)
                .map(|buffer| (buffer.data_ptr().as_ptr().cast_const(), buffer.capacity())),
        );
        data.child_data().iter().for_each(|child| visit(child, seen));
    }
    let mut seen = HashMap::new();
    batch.columns().iter().for_each(|column| visit(&column.to_data(), &mut seen));
    seen.values().sum()
}

impl Order {
    pub(super) fn new(workers: usize) -> Self {
        let (tasks, bytes) = (workers as u64 * ORDER_TASKS, (workers - 1) * ORDER_BYTES);
        Self { state: Mutex::default(), produced: Condvar::new(), room: Condvar::new(), tasks, bytes }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until another task may start; `false` when none should start any more.
    pub(super) fn wait_for_room(&self) -> bool {
        let full = |state: &mut State| {
            // What a task builds while others wait could not be handed over.
            let has_room = state.waiting < self.bytes && state.next < state.head + self.tasks;
            !state.closed && !state.ended && state.next != state.head && !has_room
        };
        let state = self.room.wait_while(self.state(), full);
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

    /// Hands over a part, when there is room; `false` when the scan is closed.
    pub(super) fn put(&self, turn: Turn, output: Output) -> bool {
        let bytes = output.bytes();
        let full = |state: &mut State| {
            // What is read next always has room: all else waits for it.
            let is_next = turn == state.head && state.tasks[0].outputs.is_empty();
            !state.closed && !is_next && state.waiting + bytes > self.bytes
        };
        let mut state = self.room.wait_while(self.state(), full).unwrap_or_else(PoisonError::into_inner);
        let task = (turn - state.head) as usize;
        if !state.closed {
            state.waiting += bytes;
            state.tasks[task].outputs.push_back((output, bytes));
            self.produced.notify_all();
        }
        !state.closed
    }

    /// Ends a task: all of its parts were handed over.
    pub(super) fn finish(&self, turn: Turn) {
        let mut state = self.state();
        let task = (turn - state.head) as usize;
        state.tasks[task].done = true;
        self.produced.notify_all();
    }

    /// The next part in order; `None` when it has not come within `patience`.
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
            if let Some((output, bytes)) = task.outputs.pop_front() {
                state.waiting -= bytes;
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

    /// Whether the scan is closed: no more parts will be taken.
    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Closes the queue: no more parts will be taken.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.produced.notify_all();
        self.room.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, StringViewArray, UInt8Array};

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

    /// An output of this many bytes and a few more.
    fn of_bytes(bytes: usize) -> Output {
        let column: ArrayRef = Arc::new(UInt8Array::from(vec![0; bytes]));
        let batch = RecordBatch::try_from_iter([("bytes", column)]).expect("one column");
        Output { batch: Some(batch), ..Output::default() }
    }

    #[test]
    fn outputs_that_are_early_wait_up_to_a_number_of_bytes() {
        let order = Order::new(2);
        let (first, second) = (order.begin(), order.begin());
        assert!(order.put(second, of_bytes(ORDER_BYTES / 2)) && order.put(second, of_bytes(ORDER_BYTES / 4)));
        std::thread::scope(|scope| {
            let blocked = scope.spawn(|| order.put(second, of_bytes(ORDER_BYTES / 2)));
            // What is read next has room all the same.
            assert!(order.put(first, of_bytes(2 * ORDER_BYTES)));
            assert!(!blocked.is_finished());
            order.finish(first);
            for bytes in [2 * ORDER_BYTES, ORDER_BYTES / 2, ORDER_BYTES / 4, ORDER_BYTES / 2] {
                let Some(Taken::Output(Output { batch: Some(batch), .. })) = order.take(Duration::from_secs(60)) else {
                    panic!("no batch");
                };
                assert_eq!(batch.num_rows(), bytes);
            }
            assert!(blocked.join().expect("no panic"));
        });
    }

    #[test]
    fn tasks_begin_up_to_a_number() {
        let order = Order::new(2);
        let first = order.begin();
        for _ in 1..2 * ORDER_TASKS {
            assert!(order.wait_for_room());
            order.begin();
        }
        std::thread::scope(|scope| {
            let blocked = scope.spawn(|| order.wait_for_room());
            assert!(!blocked.is_finished());
            order.finish(first);
            assert!(order.take(Duration::ZERO).is_none());
            assert!(blocked.join().expect("no panic"));
        });
    }

    #[test]
    fn no_task_begins_while_too_many_bytes_wait() {
        let order = Order::new(2);
        let (first, second) = (order.begin(), order.begin());
        assert!(order.put(second, of_bytes(ORDER_BYTES - 1_000)) && order.put(first, of_bytes(1_000)));
        std::thread::scope(|scope| {
            let blocked = scope.spawn(|| order.wait_for_room());
            assert!(!blocked.is_finished());
            order.finish(first);
            assert!(matches!(order.take(Duration::ZERO), Some(Taken::Output(_))));
            assert!(blocked.join().expect("no panic"));
        });
    }

    #[test]
    fn a_buffer_of_several_columns_counts_once() {
        let views = StringViewArray::from_iter_values(["a text that is longer than a view"]);
        let one = RecordBatch::try_from_iter([("a", Arc::new(views.clone()) as ArrayRef)]).expect("one column");
        let columns = ["a", "b"].map(|name| (name, Arc::new(views.clone()) as ArrayRef));
        let two = RecordBatch::try_from_iter(columns).expect("two columns");
        assert!(held(&one) > 0);
        assert_eq!(held(&one), held(&two));
    }

    #[test]
    fn a_closed_order_frees_its_workers() {
        let order = Order::new(2);
        let (_, turn) = (order.begin(), order.begin());
        assert!(order.put(turn, of_bytes(ORDER_BYTES)));
        std::thread::scope(|scope| {
            let blocked = scope.spawn(|| order.put(turn, of_bytes(1)));
            order.close();
            assert!(!blocked.join().expect("no panic"));
        });
        assert!(!order.wait_for_room());
    }
}
