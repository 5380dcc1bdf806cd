//! All scenarios.

use crate::scenario::{Call, Rules, SUBJECT, Scenario, Step, write};
use crate::{entries, hot_bounds, pasts, warnings};

pub fn all() -> Vec<Scenario> {
    let parts = [
        pasts::pasts(),
        pasts::faces(),
        entries::places(),
        entries::bounds(),
        warnings::alarms(),
        warnings::thresholds(),
        hot_bounds::alarms(),
    ];
    parts.into_iter().flatten().collect()
}

/// Scenarios that must be found wrong, and one in which the other thread must be found stuck: else
/// the explorer is blind.
pub fn twins() -> [Scenario; 2] {
    let twin = |name, step| Scenario::new(name, Rules::window(3), [write()], Call::Write(SUBJECT), [step]);
    [twin("a record that is not in the list", Step::Unlisted), twin("a thread that hangs", Step::Hang)]
}
