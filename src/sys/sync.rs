//! The atomics of all that is modelled: `std`'s in a build, `loom`'s in a model.

#[cfg(all(loom, not(crossbeam_loom)))]
compile_error!("models need both cfgs: RUSTFLAGS=\"--cfg loom --cfg crossbeam_loom\"");

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64};

pub(crate) use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
