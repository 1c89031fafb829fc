//! Memory that inflated text lives in: written once, then shared with Arrow without a copy, then used again.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_buffer::Buffer;
use bytes::Bytes;
use memmap2::MmapMut;

use crate::json::PADDING;

/// Freed arenas, to be filled again: this saves the page faults and the zeroing of fresh memory.
#[derive(Default)]
pub(crate) struct Pool {
    free: Mutex<Vec<MmapMut>>,
}

/// Arenas that wait for use at most; more than the workers can fill at a time would only hold memory.
const KEPT: usize = 4;

/// One block of memory, filled from the front.
pub(crate) struct Arena {
    memory: MmapMut,
    length: usize,
}

impl Pool {
    /// An empty arena for `capacity` bytes of text.
    pub(crate) fn arena(&self, capacity: usize) -> std::io::Result<Arena> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = free.iter().position(|memory| (capacity + PADDING..=4 * capacity).contains(&memory.len()));
        if let Some(memory) = fitting.map(|place| free.swap_remove(place)) {
            return Ok(Arena { memory, length: 0 });
        }
        drop(free);
        let memory = MmapMut::map_anon((capacity + PADDING).next_multiple_of(HUGE_PAGE))?;
        // Large pages make a tenth of the page faults; a kernel without them does no harm.
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage);
        Ok(Arena { memory, length: 0 })
    }

    fn give_back(&self, memory: MmapMut) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            free.push(memory);
        }
    }
}

const HUGE_PAGE: usize = 2 << 20;

impl Arena {
    /// Bytes of text so far.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Forgets the text, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.length = 0;
    }

    /// Room behind the text, without the padding.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        let end = self.memory.len() - PADDING;
        &mut self.memory[self.length..end]
    }

    /// Forgets the text behind `length`.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = length;
        self.commit(0);
    }

    /// Takes `written` bytes of the room into the text, and zeroes the padding behind them.
    pub(crate) fn commit(&mut self, written: usize) {
        self.length += written;
        self.memory[self.length..self.length + PADDING].fill(0);
    }

    /// The text from `start`, and its padding.
    pub(crate) fn padded(&self, start: usize) -> &[u8] {
        &self.memory[start..self.length + PADDING]
    }

    /// Moves the text from `start` to the front of `other`, which is empty and large enough.
    pub(crate) fn carry_over(&self, start: usize, other: &mut Self) {
        let rest = &self.memory[start..self.length];
        other.spare()[..rest.len()].copy_from_slice(rest);
        other.commit(rest.len());
    }

    /// Returns the memory to the pool.
    pub(crate) fn recycle(self, pool: &Pool) {
        pool.give_back(self.memory);
    }

    /// Shares the text with Arrow; when the last array that points into it goes, the memory returns to the pool.
    pub(crate) fn into_buffer(self, pool: &Arc<Pool>) -> Buffer {
        let length = self.length;
        let shared = Shared { memory: Some(self.memory), length, pool: Arc::clone(pool) };
        Buffer::from(Bytes::from_owner(shared))
    }
}

struct Shared {
    memory: Option<MmapMut>,
    length: usize,
    pool: Arc<Pool>,
}

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.memory.as_ref().map_or(&[], |memory| &memory[..self.length])
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.pool.give_back(memory);
        }
    }
}
