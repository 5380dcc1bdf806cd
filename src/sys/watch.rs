//! Memory whose lifetime loom watches.
//!
//! Under loom, everything that is retired embeds a [`Watch`]. The code touches the watch wherever
//! it uses that memory, and tells the watch when it frees the memory. Loom reports a touch and a
//! freeing that nothing puts in order: in a build that could be a use after free. Models about
//! lifetimes *keep* memory that is freed, so that loom and not the allocator sees a mistake.
//!
//! | the code | the watch | loom reports |
//! |---|---|---|
//! | uses the memory | reads its cell | a read that races with a write |
//! | frees the memory | writes its cell | the same, and a second freeing |

use std::cell::Cell;

/// The kinds of memory that are retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Segment,
    History,
    Wheel,
    Extension,
    Alarm,
    Ledger,
    Override,
    Schema,
}

const KINDS: usize = Kind::Schema as usize + 1;

// Loom runs all threads of a model on the thread of its test.
thread_local! {
    /// The choice to keep memory when it is freed.
    static KEEPING: Cell<bool> = const { Cell::new(false) };
    /// The one kind that is watched; `None`: all are.
    static ONLY: Cell<Option<Kind>> = const { Cell::new(None) };
    /// The number of times that memory of each kind was freed.
    static FREED: [Cell<usize>; KINDS] = const { [const { Cell::new(0) }; KINDS] };
}

/// Keeps all memory that is freed from now on. Watches all kinds of it, or `only` one.
pub(crate) fn keep(only: Option<Kind>) {
    KEEPING.set(true);
    ONLY.set(only);
}

/// Returns how often memory of this kind was freed so far.
pub(crate) fn freed(kind: Kind) -> usize {
    FREED.with(|freed| freed[kind as usize].get())
}

/// A cell that loom watches, in memory of some kind.
pub(crate) struct Watch {
    kind: Kind,
    freed: loom::cell::UnsafeCell<bool>,
}

// SAFETY: loom checks that no thread writes to the cell while another is in it.
unsafe impl Sync for Watch {}

impl Watch {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, freed: loom::cell::UnsafeCell::new(false) }
    }

    /// Marks the memory as freed. `true`: it is kept, and the caller must not free it.
    #[must_use]
    #[track_caller]
    pub(crate) fn free(&self) -> bool {
        if self.is_watched() {
            // SAFETY: loom checks that no other thread is in the cell.
            let again = self.freed.with_mut(|freed| unsafe { std::mem::replace(&mut *freed, true) });
            assert!(!again, "freed twice: {:?}", self.kind);
            FREED.with(|freed| freed[self.kind as usize].update(|n| n + 1));
        }
        KEEPING.get() || std::thread::panicking()
    }

    /// Marks a use of the memory.
    #[track_caller]
    pub(crate) fn touch(&self) {
        if self.is_watched() {
            // SAFETY: loom checks that no other thread writes meanwhile.
            let freed = self.freed.with(|freed| unsafe { *freed });
            assert!(!freed, "freed while it could be found: {:?}", self.kind);
        }
    }

    /// Returns whether uses are checked. What a failed model leaves behind is not.
    fn is_watched(&self) -> bool {
        ONLY.get().is_none_or(|only| only == self.kind) && !std::thread::panicking()
    }
}
