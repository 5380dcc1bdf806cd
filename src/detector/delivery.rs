//! Where a warning that is due goes: to the callback or to the caller.
//!
//! [`Delivery`] is that of one record; [`Listener`] that of a call, which may make many records.

use crate::detector::Detector;
use crate::detector::warning::Warning;

/// The place to which a record's warning goes, if one is due.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Goes to the callback.
    Callback,
    /// Goes back to the caller.
    Caller,
}

/// The receiver of the warnings that are due in a call.
pub(crate) enum Listener<'l> {
    /// The callback.
    Callback,
    /// The caller, through this function.
    #[cfg_attr(not(feature = "dynamodb"), expect(dead_code))]
    Caller(&'l mut dyn FnMut(&Warning<'_>)),
}

impl Listener<'_> {
    /// Returns the place to which the warnings of the call's records go.
    pub(crate) fn delivery(&self) -> Delivery {
        match self {
            Self::Callback => Delivery::Callback,
            Self::Caller(_) => Delivery::Caller,
        }
    }

    /// Hands a warning over. Nothing may be pinned meanwhile.
    #[cold]
    pub(crate) fn hear(&mut self, detector: &Detector, warning: &Warning<'_>) {
        match self {
            Self::Callback => detector.call_back(warning),
            Self::Caller(hear) => hear(warning),
        }
    }
}
