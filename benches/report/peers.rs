//! Peers that the library is measured against. The bare counters know no window, no clock and no
//! threshold, and neither own nor compare a table's name.

use crate::keys::{PK_LEN, TABLE};
use crate::recorder::{Map, Recorder};
use ahash::{AHasher, RandomState};
use dashmap::DashMap;
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use papaya::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The same hash function for all, and the same each time.
#[derive(Clone)]
pub struct Seeded(RandomState);

impl Default for Seeded {
    fn default() -> Self {
        Self(RandomState::with_seeds(1, 2, 3, 4))
    }
}

impl BuildHasher for Seeded {
    type Hasher = AHasher;

    fn build_hasher(&self) -> AHasher {
        self.0.build_hasher()
    }
}

/// dashmap: `get` and `fetch_add`.
#[derive(Default)]
pub struct Dashmap(DashMap<Box<[u8]>, AtomicU64, Seeded>);

impl Recorder for Dashmap {
    fn record(&self, pk: &[u8]) -> u64 {
        self.0.get(pk).unwrap().fetch_add(1, Relaxed)
    }
}

impl Map for Dashmap {
    fn insert(&self, pk: &[u8]) {
        self.0.insert(pk.into(), AtomicU64::new(1));
    }
}

/// papaya: `get` and `fetch_add`.
#[derive(Default)]
pub struct Papaya(HashMap<Box<[u8]>, AtomicU64, Seeded>);

impl Recorder for Papaya {
    fn record(&self, pk: &[u8]) -> u64 {
        self.0.pin().get(pk).unwrap().fetch_add(1, Relaxed)
    }
}

impl Map for Papaya {
    fn insert(&self, pk: &[u8]) {
        self.0.pin().insert(pk.into(), AtomicU64::new(1));
    }
}

type Limiter = RateLimiter<[u8; PK_LEN], DashMapStateStore<[u8; PK_LEN], Seeded>, DefaultClock>;

/// governor: a rate check for each key, by a quota that refuses nobody. Its keys are arrays within
/// the map, which spares it an allocation for each and a pointer to follow.
pub struct Governor(Limiter);

impl Default for Governor {
    fn default() -> Self {
        let quota = Quota::per_second(NonZeroU32::new(1_000_000_000).unwrap());
        Self(RateLimiter::dashmap_with_hasher(quota, Seeded::default()))
    }
}

impl Recorder for Governor {
    fn record(&self, pk: &[u8]) -> u64 {
        let pk: &[u8; PK_LEN] = pk.try_into().unwrap();
        u64::from(self.0.check_key(pk).is_ok())
    }
}

impl Map for Governor {
    fn insert(&self, pk: &[u8]) {
        self.record(pk);
    }
}

/// The floor: what every record has to do that hashes a table and a key, knows the time, may meet
/// reclaim, and counts.
pub struct Floor {
    hasher: Seeded,
    table: &'static [u8],
    counter: AtomicU64,
}

impl Default for Floor {
    fn default() -> Self {
        Self { hasher: Seeded::default(), table: black_box(TABLE), counter: AtomicU64::new(0) }
    }
}

impl Recorder for Floor {
    fn record(&self, pk: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(self.table);
        hasher.write(pk);
        black_box(hasher.finish());
        black_box(coarse_clock());
        let _guard = crossbeam_epoch::pin();
        self.counter.fetch_add(1, Relaxed)
    }
}

#[cfg(target_os = "linux")]
const COARSE: libc::clockid_t = libc::CLOCK_MONOTONIC_COARSE;
#[cfg(not(target_os = "linux"))]
const COARSE: libc::clockid_t = libc::CLOCK_MONOTONIC;

fn coarse_clock() -> libc::timespec {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` can be written to.
    unsafe { libc::clock_gettime(COARSE, &mut now) };
    now
}
