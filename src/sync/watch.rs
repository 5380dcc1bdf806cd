//! Memory that models watch.

use std::cell::Cell;

thread_local! {
    /// Whether memory that is watched is kept when it is freed. All threads of a model run on that of its test.
    pub(crate) static KEEPING: Cell<bool> = const { Cell::new(false) };
    /// Segments freed so far, while they are kept.
    pub(crate) static FREED: Cell<usize> = const { Cell::new(0) };
}

/// A cell that loom watches: a use of memory that no unpinning orders before its freeing is what a use after
/// free would be.
#[derive(Default)]
pub(crate) struct Watch(loom::cell::UnsafeCell<bool>);

impl Watch {
    /// `true`: the memory is to be kept, so that loom and not the allocator sees a mistake.
    pub(crate) fn free(&self) -> bool {
        if KEEPING.get() {
            // SAFETY: loom checks that nobody else is in the cell.
            let again = self.0.with_mut(|freed| unsafe { std::mem::replace(&mut *freed, true) });
            assert!(!again, "freed twice");
            FREED.set(FREED.get() + 1);
        }
        KEEPING.get()
    }

    pub(crate) fn touch(&self) {
        // SAFETY: loom checks that nobody writes meanwhile.
        let freed = self.0.with(|freed| unsafe { *freed });
        assert!(!freed, "freed while it could be found");
    }
}
