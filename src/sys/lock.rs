//! A lock: std's Mutex, and an atomic word that puts its threads in order once more.
//!
//! The word is for ThreadSanitizer. Where threads wait for a Mutex, std orders them in code that
//! comes compiled, and not instrumented. So without the word every use of the locked state would
//! look like a race.
//!
//! No record takes a lock. Locks are for what is rare and large: requests that wait for a key, and
//! setting thresholds where there is a filter. A forked child may find one locked for ever, by a
//! thread that it does not have. So the lock knows the process that made it ([`Lock::lock_here`]).

#[cfg(not(loom))]
use crate::sys::epoch::forks;
use crate::sys::sync::{Acquire, AtomicBool, Release};
#[cfg(loom)]
use loom::sync::{Mutex, MutexGuard};
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
#[cfg(not(loom))]
use std::sync::{Mutex, MutexGuard};

/// A state that one thread has to itself at a time.
pub(crate) struct Lock<T> {
    state: Mutex<T>,
    order: AtomicBool,
    /// The process that made it: see [`forks`].
    forks: u64,
}

/// Returns 0: no model forks.
#[cfg(loom)]
fn forks() -> u64 {
    0
}

/// The state, while this thread has it to itself.
pub(crate) struct Locked<'l, T> {
    state: MutexGuard<'l, T>,
    order: &'l AtomicBool,
}

impl<T> Lock<T> {
    pub(crate) fn new(state: T) -> Self {
        Self { state: Mutex::new(state), order: AtomicBool::new(false), forks: forks() }
    }

    /// Takes the lock, also from a thread that has panicked with it.
    pub(crate) fn lock(&self) -> Locked<'_, T> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.order.load(Acquire);
        Locked { state, order: &self.order }
    }

    /// Takes the lock in the process that made it. `None`: this is a forked child, whose parent may
    /// have left it locked.
    pub(crate) fn lock_here(&self) -> Option<Locked<'_, T>> {
        (self.forks == forks()).then(|| self.lock())
    }
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.state
    }
}

impl<T> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.state
    }
}

impl<T> Drop for Locked<'_, T> {
    fn drop(&mut self) {
        self.order.store(true, Release);
    }
}
