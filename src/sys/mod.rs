//! The platform, made fit for the rest: atomics, memory, epochs, time and a counter.
//!
//! The rest of the library is written against these modules and not against `std`'s own, for three
//! reasons. A loom model can put its own atomics in place ([`sync`], `watch`). An allocation that
//! fails is an error and not an abort ([`memory`]). And a test can say what time it is ([`clock`]).
//!
//! | module | gives |
//! |---|---|
//! | [`sync`] | `std`'s atomics in a build, loom's in a model |
//! | `watch` | under loom: reports a use after free |
//! | [`memory`] | fallible allocation |
//! | [`lock`] | a lock, for what waits for a key and for setting thresholds |
//! | `epoch` | pinning, in a collector that survives `fork` |
//! | [`budget`] | how many bytes may be taken, and are |
//! | [`rcu`] | a value read without a lock and replaced whole; the old one is freed once no thread reads it |
//! | [`stamped`] | a second and a value in one 64-bit word |
//! | [`clock`] | the time since the detector was made; the system's coarse clock, or one set by hand |
//! | `record_counter` | one counter a thread, so that counting never meets another thread |
//!
//! Two words come up everywhere. A thread *pins* the epoch for the length of a call, and holds a
//! guard for that. Memory that is taken out of a structure is *retired*: it is freed once every
//! thread that was pinned by then has unpinned. So a reference that was found under a guard is good
//! as long as the guard.
//!
//! **Invariants.** Nothing here knows what a partition is. The clock never runs back.
//!
//! **Proof.** `tests/refusals.rs` refuses allocations; `tests/fork.rs` forks under load; the models
//! of lifetimes (`src/models/lifetimes.rs`) watch what an `rcu` retires; `clock` and
//! `record_counter` have tests of their own.
//!
//! **What may go in**: what any concurrent library would need of its platform. It imports nothing
//! but the names of errors and arguments.

pub(crate) mod budget;
pub(crate) mod clock;
#[cfg(not(loom))]
pub(crate) mod epoch;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod rcu;
#[cfg(not(loom))]
pub(crate) mod record_counter;
pub(crate) mod stamped;
pub(crate) mod sync;
#[cfg(loom)]
pub(crate) mod watch;
