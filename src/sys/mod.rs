//! What the rest stands on: atomics, memory, epochs, the clock and a counter for each thread.

pub(crate) mod clock;
#[cfg(not(loom))]
pub(crate) mod epoch;
pub(crate) mod memory;
pub(crate) mod rcu;
#[cfg(not(loom))]
pub(crate) mod record_counter;
pub(crate) mod stamped;
pub(crate) mod sync;
#[cfg(loom)]
pub(crate) mod watch;
