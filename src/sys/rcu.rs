//! Read, copy, update: a value that is read without a lock, and replaced whole.
//!
//! A reader holds a guard and loads one pointer. A writer makes a new value, swaps the pointer, and
//! *retires* the old value: it is freed once all threads that were pinned by then have unpinned.
//!
//! ```text
//! reader     pins | loads the old value | reads it ............ | unpins
//! writer                                  swaps in the new one    retires the old | freed here
//! ```
//!
//! There are two kinds. An [`Rcu`] always has a value, so that reading it costs no branch. An
//! [`RcuOption`] may have none, and then takes no memory of its own.
//!
//! **Proof.** The models (g) in `src/models/lifetimes.rs`, and their twins that must fail.

use crate::error::OutOfMemory;
use crate::sys::memory::try_box;
use crate::sys::sync::{AcqRel, Acquire, AtomicPtr};
#[cfg(loom)]
use crate::sys::watch::Watch;
use crossbeam_epoch::Guard;
use std::ops::Deref;
use std::ptr::{self, NonNull, null_mut};

/// A value that models watch while it is shared.
pub(crate) trait Watched {
    #[cfg(loom)]
    fn watch(&self) -> &Watch;
}

/// A shared value, or none.
pub(crate) struct RcuOption<T: Watched>(AtomicPtr<T>);

/// A shared value.
pub(crate) struct Rcu<T: Watched>(RcuOption<T>);

/// A value that was taken out, and that other threads may still read.
pub(crate) struct Replaced<T: Watched>(NonNull<T>);

impl<T: Watched> RcuOption<T> {
    pub(crate) fn empty() -> Self {
        Self(AtomicPtr::new(null_mut()))
    }

    /// Returns the value, if there is one.
    #[inline(always)]
    pub(crate) fn get<'g>(&self, _guard: &'g Guard) -> Option<&'g T> {
        // SAFETY: a value is retired after it was replaced: it lives while the guard does.
        let value = unsafe { self.0.load(Acquire).as_ref() };
        #[cfg(loom)]
        value.into_iter().for_each(|value| value.watch().touch());
        value
    }

    /// Puts `new` in, whatever is there, and returns the value that was.
    pub(crate) fn swap(&self, new: Option<Box<T>>) -> Option<Replaced<T>> {
        NonNull::new(self.0.swap(into_ptr(new), AcqRel)).map(Replaced)
    }

    /// Puts `new` in if `seen`, which came from `get`, is still there, and retires that. Returns
    /// `false` if it is not; `new` is freed then.
    pub(crate) fn replace(&self, seen: Option<&T>, new: Option<Box<T>>, guard: &Guard) -> bool {
        let (old, new) = (seen.map_or(null_mut(), |seen| ptr::from_ref(seen).cast_mut()), into_ptr(new));
        let replaced = self.0.compare_exchange(old, new, AcqRel, Acquire).is_ok();
        if replaced {
            NonNull::new(old).map(Replaced).into_iter().for_each(|old| old.retire(guard));
        } else if !new.is_null() {
            // SAFETY: it came from a box, and no other thread has seen it.
            drop(unsafe { Box::from_raw(new) });
        }
        replaced
    }
}

impl<T: Watched> Rcu<T> {
    pub(crate) fn try_new(value: T) -> Result<Self, OutOfMemory> {
        Ok(Self(RcuOption(AtomicPtr::new(Box::into_raw(try_box(value)?)))))
    }

    /// Returns the value.
    #[inline(always)]
    pub(crate) fn get<'g>(&self, guard: &'g Guard) -> &'g T {
        // SAFETY: it was made with a value, and each of the calls below puts one in.
        unsafe { self.0.get(guard).unwrap_unchecked() }
    }

    /// Puts `new` in if `seen`, which came from `get`, is still there, and returns that. If it is
    /// not, `new` comes back.
    pub(crate) fn swap(&self, seen: &T, new: Box<T>) -> Result<Replaced<T>, Box<T>> {
        let (old, new) = (ptr::from_ref(seen).cast_mut(), Box::into_raw(new));
        match self.0.0.compare_exchange(old, new, AcqRel, Acquire) {
            Ok(old) => Ok(Replaced(NonNull::new(old).expect("it was read by a reference"))),
            // SAFETY: it came from a box, and no other thread has seen it.
            Err(_) => Err(unsafe { Box::from_raw(new) }),
        }
    }

    /// Puts `new` in if `seen`, which came from `get`, is still there, and retires that. Returns
    /// `false` if it is not; `new` is freed then.
    #[cfg(feature = "dynamodb")]
    pub(crate) fn replace(&self, seen: &T, new: T, guard: &Guard) -> Result<bool, OutOfMemory> {
        Ok(self.0.replace(Some(seen), Some(try_box(new)?), guard))
    }
}

impl<T: Watched> Drop for RcuOption<T> {
    fn drop(&mut self) {
        let value = self.0.load(Acquire);
        if !value.is_null() {
            // SAFETY: it came from a box, and the thread that drops this is the last to use it.
            drop(unsafe { Box::from_raw(value) });
        }
    }
}

impl<T: Watched> Replaced<T> {
    /// Frees the value once all threads that are pinned now have unpinned.
    pub(crate) fn retire(self, guard: &Guard) {
        let value = self.0.as_ptr();
        // SAFETY: it came from a box, and only one thread took it out.
        unsafe { guard.defer_unchecked(move || destroy(value)) };
    }
}

impl<T: Watched> Deref for Replaced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: it is not freed before `retire`, which takes this.
        unsafe { self.0.as_ref() }
    }
}

fn into_ptr<T>(value: Option<Box<T>>) -> *mut T {
    value.map_or(null_mut(), Box::into_raw)
}

/// Frees a value that was retired.
///
/// # Safety
/// `value` came from a box, and no thread uses it any more.
unsafe fn destroy<T: Watched>(value: *mut T) {
    #[cfg(loom)]
    // SAFETY: as the caller promises, it is there still.
    if unsafe { &*value }.watch().free() {
        return;
    }
    // SAFETY: as the caller promises.
    drop(unsafe { Box::from_raw(value) });
}
