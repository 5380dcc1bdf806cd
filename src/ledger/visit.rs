//! A visit: all that a call brings to the ledger, besides the key or the record that it comes for.
//!
//! The guard pins everything that the call finds. The moment is read once, so that all of a call's
//! steps are of one second; [`Visit::renewed`] reads it again, where an amount must not go into an
//! earlier second than what it was worked out from.

use crate::ledger::counters::Counters;
use crate::ledger::settings::Settings;
use crate::map::ReplaceContext;
use crate::sys::clock::{Clock, Moment};
use crossbeam_epoch::Guard;

/// The detector's settings, counters and clock, the moment of the call, and the guard that pins it.
#[derive(Clone, Copy)]
pub(crate) struct Visit<'g> {
    pub(crate) settings: &'g Settings,
    pub(crate) counters: &'g Counters,
    pub(crate) clock: &'g Clock,
    pub(crate) now: Moment,
    pub(crate) guard: &'g Guard,
}

impl<'g> Visit<'g> {
    /// Returns the window, in seconds.
    pub(crate) fn window(&self) -> u32 {
        self.settings.timing.window
    }

    /// Returns the same visit with the moment read anew. It is no earlier than the additions that
    /// the call has read so far.
    pub(crate) fn renewed(self) -> Self {
        Self { now: self.clock.now().max(self.now), ..self }
    }

    /// Returns the context in which a segment is replaced at this moment.
    pub(crate) fn replace_context(&self) -> ReplaceContext<'g> {
        let reclaimed = &self.counters.reclaimed;
        ReplaceContext { now: self.now, timing: self.settings.timing, reclaimed, to_come: 0, outside: None }
    }
}
