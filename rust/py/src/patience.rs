//! Waits and locks of all Python objects.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a wait checks for Ctrl-C.
pub(crate) const PATIENCE: Duration = Duration::from_millis(50);

/// A panic while the lock was held was already reported; the counts and the handle are still valid.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
