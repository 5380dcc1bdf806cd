//! Pinning, in a collector of our own that survives `fork`.
//!
//! A collector frees nothing that a thread pinned now might still use. In a forked child the other
//! threads are gone, but by the collector's books they are pinned for ever, so a child would gather
//! garbage without bound. Therefore the child starts a new collector:
//!
//! 1. The fork handler runs on the child's only thread. It counts the fork, sets the collector and
//!    this thread's handle to null, and releases the counting blocks of the threads that are gone.
//! 2. The next pin finds no handle and registers anew. That makes a collector, and leaks the handle
//!    of the old one.
//!
//! That is safe because no thread of the child is pinned: the one that forked was not (nothing is
//! pinned during a callback), and the others are not there. What the old collector had not freed
//! yet is left behind, once.
//!
//! | of each thread | is |
//! |---|---|
//! | `OWNER` | the handle itself; its destructor gives it up when the thread exits |
//! | `LOCAL.handle` | a pointer to that, null while it may not be used |
//! | `LOCAL.block` | where the thread counts its records |
//!
//! **Proof.** `tests/fork.rs`, `tests/threads.rs`.

use crate::sys::record_counter::Block;
use crossbeam_epoch::{Collector, Guard, LocalHandle};
use std::cell::{Cell, UnsafeCell};
use std::ptr::{null, null_mut};
#[cfg(unix)]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// The collector, made at the first pin and again in a forked child. Never freed.
static COLLECTOR: AtomicPtr<Collector> = AtomicPtr::new(null_mut());

/// The number of forks between this process and the one that loaded the library. A fork before the
/// first pin is not counted, as no handler was registered.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// The flag that this process, or the one it was forked from, has registered [`forked`].
#[cfg(unix)]
static REGISTERED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The pointer to this thread's handle, while that may be used. Apart from the handle, because
    /// a thread-local without a destructor costs no look at its state.
    static LOCAL: Local = const { Local { handle: Cell::new(null()), block: Cell::new(None) } };
    static OWNER: Owner = const { Owner(UnsafeCell::new(None)) };
}

/// All that a record needs of its thread, in one place: to find a thread-local may cost a call.
struct Local {
    handle: Cell<*const LocalHandle>,
    block: Cell<Option<&'static Block>>,
}

/// The owner of this thread's handle. It gives the handle up, and the thread's block of counts,
/// when the thread exits.
struct Owner(UnsafeCell<Option<LocalHandle>>);

impl Drop for Owner {
    fn drop(&mut self) {
        LOCAL.with(|local| {
            local.handle.set(null());
            if let Some(block) = local.block.take() {
                block.release();
            }
        });
    }
}

/// Keeps alive what this thread finds until the guard is dropped.
#[inline(always)]
pub(crate) fn pin() -> Guard {
    // SAFETY: it points into this thread's `OWNER`, and is null before that is changed or dropped.
    match unsafe { LOCAL.with(|local| local.handle.get()).as_ref() } {
        Some(handle) => handle.pin(),
        None => register(),
    }
}

/// Pins this thread once more, if it has been pinned and is not exiting.
pub(crate) fn pin_again() -> Option<Guard> {
    // SAFETY: as in `pin`.
    unsafe { LOCAL.with(|local| local.handle.get()).as_ref() }.map(LocalHandle::pin)
}

/// Returns a number that tells a forked child from its parent, if the parent had pinned before: the
/// child's is greater.
pub(crate) fn forks() -> u64 {
    FORKS.load(Ordering::Acquire)
}

/// Returns where this thread counts its records, once it has been pinned.
#[inline(always)]
pub(crate) fn block() -> Option<&'static Block> {
    LOCAL.with(|local| local.block.get())
}

/// Does the same for a thread that may not have been pinned yet, which is then pinned once.
#[inline(always)]
pub(crate) fn block_or_claim() -> Option<&'static Block> {
    block().or_else(claim)
}

#[cold]
#[inline(never)]
fn claim() -> Option<&'static Block> {
    drop(pin());
    block()
}

/// Pins this thread for the first time, or for the first time in a forked child.
#[cold]
#[inline(never)]
fn register() -> Guard {
    on_fork();
    let registered = OWNER.try_with(|Owner(owner)| {
        // SAFETY: nothing in here comes back to this cell, and the handle in `LOCAL` is null.
        let owner = unsafe { &mut *owner.get() };
        // A handle that is there already is the parent's. It is leaked, as its collector waits for
        // threads that are not here.
        std::mem::forget(owner.take());
        let handle = owner.insert(collector().register());
        LOCAL.with(|local| {
            local.handle.set(handle);
            if local.block.get().is_none() {
                local.block.set(Block::claim());
            }
        });
        handle.pin()
    });
    // The thread is exiting and its locals are gone: registered for this one guard.
    registered.unwrap_or_else(|_| collector().register().pin())
}

/// Returns the collector, which is made if there is none.
fn collector() -> &'static Collector {
    let mut current = COLLECTOR.load(Ordering::Acquire);
    if current.is_null() {
        let new = Box::into_raw(Box::new(Collector::new()));
        match COLLECTOR.compare_exchange(null_mut(), new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => current = new,
            Err(other) => {
                // SAFETY: no other thread has seen `new`, which came from a box.
                drop(unsafe { Box::from_raw(new) });
                current = other;
            }
        }
    }
    // SAFETY: a collector is never freed.
    unsafe { &*current }
}

/// Registers [`forked`]. It takes no lock, which a fork might leave locked in the child: two
/// threads may both register, and running it twice does no harm.
fn on_fork() {
    #[cfg(unix)]
    if !REGISTERED.load(Ordering::Relaxed) {
        // SAFETY: the handler only stores to atomics, which is allowed in a child of many threads,
        // and the library is never unmapped, or, inside a plugin, not before the C library has
        // forgotten the handler.
        let registered = unsafe { libc::pthread_atfork(None, None, Some(forked)) } == 0;
        REGISTERED.store(registered, Ordering::Relaxed);
    }
}

/// Makes a forked child begin with a new collector.
#[cfg(unix)]
extern "C" fn forked() {
    FORKS.fetch_add(1, Ordering::Release);
    COLLECTOR.store(null_mut(), Ordering::Release);
    // The child's one thread is the one that this runs on.
    LOCAL.with(|local| {
        local.handle.set(null());
        Block::release_others(local.block.get().map_or(null(), std::ptr::from_ref));
    });
}

/// Frees what can be freed now, for a caller that is about to be done.
pub(crate) fn flush() {
    // Two epochs must pass before anything is freed; the rest works off a backlog.
    for _ in 0..16 {
        pin().flush();
    }
}
