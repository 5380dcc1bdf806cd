//! Pinning: a collector of our own, that survives `fork`.
//!
//! A collector frees nothing that some thread pinned now might still use. In a forked child the other
//! threads are gone, but pinned for ever by the collector's books, so a child would gather garbage
//! without bound. Therefore the child starts a new collector. That is safe because no thread of the
//! child is pinned: the one that forked was not (nothing is pinned during a callback), and the others
//! are not there. What the old collector had not freed yet is left behind, once.

use crossbeam_epoch::{Collector, Guard, LocalHandle};
use std::cell::RefCell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// The collector, made at the first pin and again in a forked child. Never freed.
static COLLECTOR: AtomicPtr<Collector> = AtomicPtr::new(null_mut());
/// How many forks lie between the first process and this one.
static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// Whether this process, or the one it was forked from, has registered [`forked`].
static REGISTERED: AtomicBool = AtomicBool::new(false);

struct Local {
    generation: usize,
    handle: Option<LocalHandle>,
}

thread_local! {
    static LOCAL: RefCell<Local> = const { RefCell::new(Local { generation: 0, handle: None }) };
}

/// Keeps what this thread finds alive until the guard is dropped.
pub(crate) fn pin() -> Guard {
    LOCAL
        .try_with(|local| local.try_borrow_mut().ok().map(|mut local| local.pin()))
        .ok()
        .flatten()
        // The thread is exiting and its locals are gone: register it for this one guard.
        .unwrap_or_else(|| collector().register().pin())
}

impl Local {
    #[inline]
    fn pin(&mut self) -> Guard {
        match &self.handle {
            Some(handle) if self.generation == GENERATION.load(Ordering::Relaxed) => handle.pin(),
            _ => self.register(),
        }
    }

    #[cold]
    fn register(&mut self) -> Guard {
        // Read first: should a fork come in between, the handle is one generation old and is replaced.
        self.generation = GENERATION.load(Ordering::Relaxed);
        on_fork();
        let handle = collector().register();
        let guard = handle.pin();
        // The parent's handle belongs to a collector that waits for threads that are not here.
        std::mem::forget(self.handle.replace(handle));
        guard
    }
}

fn collector() -> &'static Collector {
    let mut current = COLLECTOR.load(Ordering::Acquire);
    if current.is_null() {
        let new = Box::into_raw(Box::new(Collector::new()));
        match COLLECTOR.compare_exchange(null_mut(), new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => current = new,
            Err(other) => {
                // SAFETY: nobody has seen `new`, which came from a box.
                drop(unsafe { Box::from_raw(new) });
                current = other;
            }
        }
    }
    // SAFETY: a collector is never freed.
    unsafe { &*current }
}

/// Registers [`forked`]. Without a lock, which a fork might leave locked in the child: two threads may
/// both register it, and running it twice does no harm.
fn on_fork() {
    #[cfg(unix)]
    if !REGISTERED.load(Ordering::Relaxed) {
        // SAFETY: the handler only stores to atomics, which is allowed in a child of many threads, and
        // the library is linked so as never to be unmapped.
        let registered = unsafe { libc::pthread_atfork(None, None, Some(forked)) } == 0;
        REGISTERED.store(registered, Ordering::Relaxed);
    }
}

#[cfg(unix)]
extern "C" fn forked() {
    COLLECTOR.store(null_mut(), Ordering::Release);
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Frees what can be freed now, for a caller who is about to be done.
pub(crate) fn flush() {
    // Two epochs must pass before anything is freed; the rest works off a backlog.
    for _ in 0..16 {
        pin().flush();
    }
}
