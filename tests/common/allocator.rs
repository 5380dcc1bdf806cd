//! A global allocator that counts, and that refuses or stands still when it is told to. By thread,
//! but for one sum.
#![allow(dead_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::Range;
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::SeqCst};

pub struct TestAllocator;

/// How many layouts can be learnt.
const LEARNT: usize = 16;

thread_local! {
    static LIVE_BYTES: Cell<isize> = const { Cell::new(0) };
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };

    /// Which of the allocations to come are refused, and how many of those there were.
    static REFUSING: Cell<(usize, usize)> = const { Cell::new((usize::MAX, usize::MAX)) };
    static ASKED: Cell<usize> = const { Cell::new(0) };
    static REFUSED: Cell<usize> = const { Cell::new(0) };

    static LEARNS: Cell<bool> = const { Cell::new(false) };
    static SPARED: Cell<([Option<Layout>; LEARNT], usize)> = const { Cell::new(([None; LEARNT], 0)) };

    /// How many allocations off the one is in which this thread stops, and where; 0: never.
    static STOPS: Cell<(usize, *const Gate)> = const { Cell::new((0, null())) };
}

/// The bytes that all threads have allocated, less those that they have freed; and the most that
/// these ever were.
static ALL_LIVE_BYTES: AtomicIsize = AtomicIsize::new(0);
static MOST_LIVE_BYTES: AtomicIsize = AtomicIsize::new(0);

/// Whether a thread stands in an allocation, and whether it may go on.
#[derive(Default)]
struct Gate {
    stopped: AtomicBool,
    released: AtomicBool,
}

// SAFETY: it is the system's allocator, which may refuse and may take its time.
unsafe impl GlobalAlloc for TestAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if refuses(layout) {
            return std::ptr::null_mut();
        }
        let (stops, gate) = STOPS.get();
        STOPS.set((stops.saturating_sub(1), gate));
        if stops == 1 {
            // SAFETY: `while_inside` has it, and waits for this thread.
            let gate = unsafe { &*gate };
            gate.stopped.store(true, SeqCst);
            while !gate.released.load(SeqCst) {
                std::thread::yield_now();
            }
        }
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn count(bytes: isize) {
    LIVE_BYTES.set(LIVE_BYTES.get() + bytes);
    let live = ALL_LIVE_BYTES.fetch_add(bytes, SeqCst) + bytes;
    MOST_LIVE_BYTES.fetch_max(live, SeqCst);
}

fn refuses(layout: Layout) -> bool {
    let (mut spared, n) = SPARED.get();
    if LEARNS.get() && !spared.contains(&Some(layout)) {
        spared[n] = Some(layout);
        SPARED.set((spared, n + 1));
    }
    if spared.contains(&Some(layout)) {
        return false;
    }
    let asked = ASKED.replace(ASKED.get() + 1);
    let (from, end) = REFUSING.get();
    let refused = (from..end).contains(&asked);
    REFUSED.set(REFUSED.get() + usize::from(refused));
    refused
}

/// The bytes that this thread has allocated, less those that it has freed.
pub fn live_bytes() -> isize {
    LIVE_BYTES.get()
}

/// The same of all threads together, those that are gone too.
pub fn all_live_bytes() -> isize {
    ALL_LIVE_BYTES.load(SeqCst)
}

/// The most that these ever were since the last call, at any moment.
pub fn most_live_bytes() -> isize {
    MOST_LIVE_BYTES.swap(all_live_bytes(), SeqCst)
}

/// How many allocations this thread makes during `call`.
pub fn allocations(call: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    call();
    ALLOCATIONS.get() - before
}

/// Never refuses this thread what has a layout that `call` allocates.
pub fn spare(call: impl FnOnce()) {
    LEARNS.set(true);
    call();
    LEARNS.set(false);
}

/// Never refuses this thread crossbeam's own allocations, which abort.
pub fn spare_crossbeam() {
    spare(|| {
        let local = crossbeam_epoch::Collector::new().register();
        let guard = local.pin();
        for _ in 0..1_000 {
            guard.defer(|| ());
        }
        guard.flush();
    });
}

/// Runs `call` while these of its allocations are refused; says how many were.
pub fn refusing<T>(these: Range<usize>, call: impl FnOnce() -> T) -> (T, usize) {
    ASKED.set(0);
    REFUSED.set(0);
    REFUSING.set((these.start, these.end));
    let value = call();
    REFUSING.set((usize::MAX, usize::MAX));
    (value, REFUSED.get())
}

/// Lets the stopped thread go on, even if a test fails meanwhile.
struct Release<'a>(&'a Gate);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.released.store(true, SeqCst);
    }
}

/// Runs `meanwhile` while another thread, which has run `warm_up`, stands still within `call`, in
/// its `nth` allocation (from 1 on). Returns when that thread has ended.
pub fn while_inside<T>(
    warm_up: impl FnOnce() + Send,
    nth: usize,
    call: impl FnOnce() + Send,
    meanwhile: impl FnOnce() -> T,
) -> T {
    let gate = &Gate::default();
    std::thread::scope(|scope| {
        let release = Release(gate);
        let stopped = scope.spawn(|| {
            warm_up();
            STOPS.set((nth, gate));
            call();
        });
        while !gate.stopped.load(SeqCst) {
            assert!(!stopped.is_finished(), "it has not allocated so often");
            std::thread::yield_now();
        }
        let value = meanwhile();
        drop(release);
        stopped.join().unwrap();
        value
    })
}
