//! Read, copy, update: a value that is read without a lock, and replaced whole.
//!
//! Readers hold a guard and load one pointer. A writer makes a new value, puts its pointer in, and *retires* the old
//! value: it is freed once all who were pinned then are gone.

use crate::error::OutOfMemory;
use crate::sys::memory::try_box;
use crate::sys::sync::{AcqRel, Acquire, AtomicPtr};
#[cfg(loom)]
use crate::sys::watch::Watch;
use crossbeam_epoch::Guard;
use std::ops::Deref;

/// A value that models watch while it is shared.
pub(crate) trait Watched {
    #[cfg(loom)]
    fn watch(&self) -> &Watch;
}

pub(crate) struct Rcu<T: Watched>(AtomicPtr<T>);

/// A value that was taken out of its [`Rcu`], and that others may still read.
pub(crate) struct Replaced<T: Watched>(*mut T);

impl<T: Watched> Rcu<T> {
    pub(crate) fn try_new(value: T) -> Result<Self, OutOfMemory> {
        Ok(Self(AtomicPtr::new(Box::into_raw(try_box(value)?))))
    }

    #[inline(always)]
    pub(crate) fn get<'g>(&self, _guard: &'g Guard) -> &'g T {
        // SAFETY: a value is retired after it was replaced: it lives while the guard does.
        let value = unsafe { &*self.0.load(Acquire) };
        #[cfg(loom)]
        value.watch().touch();
        value
    }

    /// Puts `new` in, whatever is there, and returns what was.
    pub(crate) fn swap(&self, new: T) -> Result<Replaced<T>, OutOfMemory> {
        let new = Box::into_raw(try_box(new)?);
        Ok(Replaced(self.0.swap(new, AcqRel)))
    }

    /// Puts `new` in if `seen`, which came from `get`, is still there, and retires that. `false`: it is not.
    #[cfg(feature = "dynamodb")]
    pub(crate) fn replace(&self, seen: &T, new: T, guard: &Guard) -> Result<bool, OutOfMemory> {
        let (old, new) = (std::ptr::from_ref(seen).cast_mut(), Box::into_raw(try_box(new)?));
        match self.0.compare_exchange(old, new, AcqRel, Acquire) {
            Ok(_) => {
                Replaced(old).retire(guard);
                Ok(true)
            }
            Err(_) => {
                // SAFETY: it came from a box, and nobody has seen it.
                drop(unsafe { Box::from_raw(new) });
                Ok(false)
            }
        }
    }
}

impl<T: Watched> Drop for Rcu<T> {
    fn drop(&mut self) {
        // SAFETY: it came from a box, and whoever drops this is the last to use it.
        drop(unsafe { Box::from_raw(self.0.load(Acquire)) });
    }
}

impl<T: Watched> Replaced<T> {
    /// Frees the value once all who are pinned now are gone.
    pub(crate) fn retire(self, guard: &Guard) {
        let value = self.0;
        // SAFETY: it came from a box, and only one thread took it out.
        unsafe { guard.defer_unchecked(move || destroy(value)) };
    }
}

impl<T: Watched> Deref for Replaced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: it is not freed before `retire`, which takes this.
        unsafe { &*self.0 }
    }
}

/// # Safety
/// `value` came from a box, and nobody uses it any more.
unsafe fn destroy<T: Watched>(value: *mut T) {
    #[cfg(loom)]
    // SAFETY: as the caller promises, it is there still.
    if unsafe { &*value }.watch().free() {
        return;
    }
    // SAFETY: as the caller promises.
    drop(unsafe { Box::from_raw(value) });
}
