//! Warnings that outlive the call that gave them, with texts of their own: those that a call hands
//! to its caller, and those that are pending for a thread until the thread takes them ([`keep`],
//! [`take`]).
//!
//! A warning that Rust returns borrows its texts from the call's arguments, and C may free these at
//! once. A thread that never takes its warnings keeps the newest 64 and those of its last call.

use crate::detector::warning::Warning;
use crate::error::{Error, OutOfMemory};
use crate::key::Key;
use crate::sys::memory::{try_box, try_bytes};
use std::cell::RefCell;
use std::collections::VecDeque;

/// The most warnings of earlier calls that a thread keeps, beside those of the last one.
const THREAD_MAX: usize = 64;

thread_local! {
    /// The warnings that this thread's calls gave and that it has not taken, each with its
    /// detector's id.
    static PENDING: RefCell<VecDeque<(u64, OwnedWarning)>> = const { RefCell::new(VecDeque::new()) };
}

thread_local! {
    /// The tables that this thread's last call asked for, each ended by a NUL.
    static MISSING: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Warnings for the caller. They own their texts, as those of a request borrow from its body.
#[derive(Default)]
pub(crate) struct Warnings {
    warnings: Vec<OwnedWarning>,
    /// Whether there was no memory for one of them.
    pub(crate) lost: bool,
}

/// A warning with its texts.
struct OwnedWarning {
    /// The table, and the key.
    texts: Vec<u8>,
    table_len: usize,
    /// Everything else, without texts.
    warning: Warning<'static>,
}

impl OwnedWarning {
    /// Copies a warning.
    fn try_new(warning: &Warning<'_>) -> Result<Self, OutOfMemory> {
        let texts = try_bytes([warning.table, warning.pk])?;
        let bare = warning.with_key(Key { table: &[], pk: &[] }, None);
        Ok(Self { texts, table_len: warning.table.len(), warning: bare })
    }
}

impl Warnings {
    /// Adds a copy of a warning or, without memory, notes that one is lost.
    pub(crate) fn keep(&mut self, warning: &Warning<'_>) {
        match (OwnedWarning::try_new(warning), self.warnings.try_reserve(1)) {
            (Ok(kept), Ok(())) => self.warnings.push(kept),
            _ => self.lost = true,
        }
    }

    /// Boxes them, if there are any.
    pub(crate) fn boxed(self) -> Result<Option<Box<Self>>, Error> {
        if self.warnings.is_empty() { Ok(None) } else { Ok(Some(try_box(self)?)) }
    }

    /// Returns a copy of a single warning.
    pub(crate) fn of(warning: &Warning<'_>) -> Self {
        let mut warnings = Self::default();
        warnings.keep(warning);
        warnings
    }

    pub(crate) fn len(&self) -> usize {
        self.warnings.len()
    }

    /// Returns the warning at index `i`.
    pub(crate) fn get(&self, i: usize) -> Option<Warning<'_>> {
        let OwnedWarning { texts, table_len, warning } = self.warnings.get(i)?;
        let (table, pk) = texts.split_at(*table_len);
        Some(warning.with_key(Key { table, pk }, None))
    }
}

/// Keeps a call's warnings of a detector for this thread. Returns whether there was one, and memory
/// for it.
#[cold]
#[inline(never)]
pub(crate) fn keep(detector: u64, warnings: Warnings) -> bool {
    if warnings.len() == 0 {
        return false;
    }
    let keep = |all: &RefCell<VecDeque<_>>| {
        let mut all = all.borrow_mut();
        // Older warnings go before the new ones come, so that a call's own warnings are never among
        // them.
        let earlier = all.len().saturating_sub(THREAD_MAX);
        all.drain(..earlier);
        let room = all.try_reserve(warnings.len()).is_ok();
        if room {
            all.extend(warnings.warnings.into_iter().map(|kept| (detector, kept)));
        }
        room
    };
    // A thread whose storage is gone is about to end, and would take nothing any more.
    PENDING.try_with(keep).unwrap_or(false)
}

/// Keeps the names of tables that a call asked for.
#[cold]
pub(crate) fn keep_missing(tables: Vec<String>) {
    let mut names = String::new();
    let len = tables.iter().map(|table| table.len() + 1).sum();
    if names.try_reserve_exact(len).is_ok() {
        tables.iter().for_each(|table| names.extend([table, "\0"]));
    }
    let _ = MISSING.try_with(|missing| missing.replace(names));
}

/// Takes the names that this thread has kept, if there are any.
pub(crate) fn take_missing() -> Option<String> {
    MISSING.try_with(RefCell::take).ok().filter(|names| !names.is_empty())
}

/// Takes out the warnings of a detector that this thread has kept, the oldest first.
pub(crate) fn take(detector: u64) -> Result<Option<Box<Warnings>>, Error> {
    let taken = PENDING.try_with(|all| {
        let mut all = all.borrow_mut();
        let due = all.iter().filter(|(owner, _)| *owner == detector).count();
        if due == 0 {
            return Ok(None);
        }
        let mut taken = try_box(Warnings::default())?;
        taken.warnings.try_reserve_exact(due).map_err(|_| OutOfMemory)?;
        // All go round once: those of other detectors go back in, in their order.
        for _ in 0..all.len() {
            match all.pop_front() {
                Some((owner, kept)) if owner == detector => taken.warnings.push(kept),
                Some(other) => all.push_back(other),
                None => break,
            }
        }
        Ok(Some(taken))
    });
    taken.unwrap_or(Ok(None))
}
