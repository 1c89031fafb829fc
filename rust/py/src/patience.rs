//! Waits and locks, as all objects of Python have them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A wait looks for Ctrl-C again after this.
pub(crate) const PATIENCE: Duration = Duration::from_millis(50);

/// A panic while the lock was held was told already; what it left is still counts and a handle.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
