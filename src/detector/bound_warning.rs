//! Warnings of partitions that are counted in the filter alone, and the making of all warnings.
//!
//! Such a partition has no entry, as there was no room for one, so it has no alarm that would
//! remember its last warning. [`recent_warnings`](crate::ledger::recent_warnings) remembers the
//! last few warnings in its place: that mostly keeps the interval, and never loses a first warning.

use crate::detector::Detector;
use crate::detector::delivery::Delivery;
use crate::detector::warning::Warning;
use crate::key::Key;
use crate::ledger::counters::Counters;
use crate::ledger::filtering::Filtering;
use crate::ledger::visit::Visit;
use crate::ledger::{Ledger, Posting};
use crate::operation::Operation;
use crate::policy::rule::{Breach, Rule};

impl Detector {
    /// Returns the rule that a record meets by `bound`, the most that its partition in the filter
    /// can have.
    #[cold]
    pub(crate) fn breach_of_bound(
        ledger: &Ledger,
        bound: u64,
        posting: &Posting<'_>,
        visit: Visit<'_>,
    ) -> Option<Breach> {
        if bound < ledger.overrides.floor(posting.operation) {
            return None;
        }
        // Cleared meanwhile: this record came before that, and what is cleared needs no warning.
        ledger.breach_of_bound(bound, posting, visit).ok().flatten()
    }

    /// Returns the warning that such a record gives, if it is the one to give it. All of its count
    /// is `carried`: nothing is known to be the partition's own.
    #[cold]
    pub(crate) fn warn_of_bound<'a>(
        &self,
        ledger: &Ledger,
        breach: Breach,
        posting: &Posting<'a>,
        visit: Visit<'_>,
        delivery: Delivery,
    ) -> Option<Warning<'a>> {
        let Posting { key, hash, operation, .. } = *posting;
        let suppressed = self.ring(None, operation, visit.now, delivery)?;
        let interval_ms = self.settings.timing.interval_ms;
        let filtering = ledger.filtering.as_ref();
        let rings = |filtering: &Filtering| {
            let warnings = &filtering.cold.recent_warnings;
            warnings.ring(hash, operation, filtering.generation, visit.now.ms(), interval_ms)
        };
        if !filtering.is_none_or(rings) {
            Counters::add(&visit.counters.suppressed, 1);
            return None;
        }
        Counters::add(&visit.counters.warnings, 1);
        Some(self.made_warning(key, operation, breach, [suppressed, breach.count, breach.count]))
    }

    /// Makes a warning of a breach, with these numbers: suppressed, peak and carried.
    #[inline(always)]
    pub(crate) fn made_warning<'a>(
        &self,
        key: Key<'a>,
        operation: Operation,
        breach: Breach,
        [suppressed, peak, carried]: [u64; 3],
    ) -> Warning<'a> {
        let Breach { rule, count, seconds, .. } = breach;
        Warning {
            suppressed,
            // Other threads have added since `count` was read; at that moment no second had more
            // than `count`.
            peak: if matches!(rule, Rule::Window | Rule::Throttle) { peak.min(count) } else { peak },
            carried: carried.min(count),
            utilisation_permille: match rule {
                // At its limit, as DynamoDB says.
                Rule::Throttle => 1_000,
                _ => self.settings.measure.permille(operation, count, seconds),
            },
            in_half_units: self.in_half_units(rule),
            redacted: self.redact(key),
            ..Warning::new(key, operation, breach)
        }
    }
}
