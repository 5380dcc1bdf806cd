//! All scenarios.

use crate::scenario::Scenario;
use crate::{entries, pasts, warnings};

pub fn all() -> Vec<Scenario> {
    let parts = [pasts::pasts(), pasts::faces(), entries::places(), entries::bounds(), warnings::alarms()];
    parts.into_iter().flatten().collect()
}
