//! Parts that the integration tests share. Each uses a part of it.
#![allow(dead_code)]

use hotpart::{Builder, Detector};
use std::sync::{Barrier, Mutex, MutexGuard, TryLockError};

/// Threads of a stress test: more than most machines' cores, so that some are stopped in the
/// middle.
pub const THREADS: usize = 4;

/// How often a stress test does something: `n` in a debug build, ten times that in a release, and
/// HOTPART_STRESS times either.
pub fn stress(n: usize) -> usize {
    let times = std::env::var("HOTPART_STRESS").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    n * times * if cfg!(debug_assertions) { 1 } else { 10 }
}

/// A detector whose clock stands until it is moved, and whose hashing is the same at every run.
pub fn manual(writes: u64, reads: u64, window: u32) -> Builder {
    Detector::builder(writes, reads, window).manual_clock().hash_seed([3, 14])
}

/// A detector on which nothing ever gets hot.
pub fn never_hot(window: u32) -> Builder {
    manual(i64::MAX as u64, i64::MAX as u64, window)
}

/// Runs `work` on [`THREADS`] threads, which all start together, and returns what they return.
pub fn race<T: Send>(work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let spawn = |thread| {
            let (start, work) = (&start, &work);
            scope.spawn(move || {
                start.wait();
                work(thread)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(spawn).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Locks without ever waiting inside std, where ThreadSanitizer would not see it: std is not
/// instrumented.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    loop {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
}

/// Numbers that look random (splitmix64), the same ones for the same seed.
pub struct Random(pub u64);

impl Random {
    /// A number from 0 to before `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let bits = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ bits >> 31) % end as u64) as usize
    }
}
