//! A timeline: the thresholds that were in force lately, one pair after another.
//!
//! A filter's cells hold for a while what was counted, and so does an amount that is carried out of
//! them. It may be as much as the greatest threshold allowed that was in force at any moment of
//! that while. Two numbers decide at each moment, a table's threshold and the least of all models',
//! and the lesser of both counts. So each has a timeline, and spans of both count together only
//! where they overlap.
//!
//! ```text
//! changes         0         5         9         10        19        20
//! the table's     |--------------- 1 ---------------------------------|
//!                                                         |-------- 238 ---->
//! the models'     |------------- none ----------|
//!                                     |------------------- 106 ------------->
//! ```
//!
//! Here the greatest is 106. 238 never met a moment without a model's threshold, so it never
//! counted.
//!
//! A span is over once the call that ended it has read the clock again. Until then threads may
//! judge by it, so two spans of one line overlap for the length of a call.
//!
//! **Proof.** The tests below; `src/models/filtering.rs` (n: the level).

use crate::error::OutOfMemory;
use crate::operation::Operation;

/// The thresholds of both operations, and when they were in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The numbers of the changes by which they came and went. Those of all tables and models are
    /// counted together, so that it is known which of two came first, in one second too.
    pub(crate) changes: [u64; 2],
    /// The second in which they went.
    pub(crate) over: u32,
    pub(crate) thresholds: [u64; 2],
}

/// The number of the change by which present thresholds go: it is yet to come.
const TO_COME: u64 = u64::MAX;

impl Span {
    /// Makes the span of thresholds that are in force since a change.
    pub(crate) fn since(change: u64, thresholds: [u64; 2]) -> Self {
        Self { changes: [change, TO_COME], over: u32::MAX, thresholds }
    }

    /// Returns whether they are in force still, as far as is known: the call by which they go has
    /// not returned.
    fn is_going(&self) -> bool {
        self.changes[1] == TO_COME
    }

    /// Returns whether both were in force at some moment.
    fn meets(&self, other: &Self) -> bool {
        self.changes[0].max(other.changes[0]) <= self.changes[1].min(other.changes[1])
    }
}

/// The spans that are told apart. Of those before, the greatest thresholds are taken to have been
/// in force all the time.
const SPANS: usize = 8;

/// The spans of one table, or of all models, that are over or about to be.
#[derive(Debug, Default)]
pub(crate) struct Timeline(Vec<Span>);

impl Timeline {
    /// Makes a copy without the spans that were over before `oldest`, and with another at its end.
    pub(crate) fn with(&self, span: Option<Span>, oldest: u32) -> Result<Self, OutOfMemory> {
        let mut spans: Vec<Span> = Vec::new();
        spans.try_reserve_exact(self.0.len() + 1)?;
        spans.extend(self.0.iter().filter(|span| span.over >= oldest));
        match (spans.last_mut(), span) {
            // Nothing has changed in fact. So a caller that sets the same again and again does not
            // make anything be remembered for longer.
            (Some(last), Some(span)) if last.thresholds == span.thresholds => {
                (last.changes[1], last.over) = (span.changes[1], span.over);
            }
            (_, span) => spans.extend(span),
        }
        // The two oldest become one that allows what either did.
        if spans.len() > SPANS {
            let first = spans.remove(0);
            spans[0].changes = [first.changes[0], spans[0].changes[1].max(first.changes[1])];
            spans[0].over = spans[0].over.max(first.over);
            for (mine, its) in spans[0].thresholds.iter_mut().zip(first.thresholds) {
                *mine = its.max(*mine);
            }
        }
        Ok(Self(spans))
    }

    /// Makes a copy in which the spans that are going are over, by this change and in this second.
    pub(crate) fn over(&self, change: u64, over: u32, oldest: u32) -> Result<Self, OutOfMemory> {
        let mut copy = self.with(None, oldest)?;
        for span in copy.0.iter_mut().filter(|span| span.is_going()) {
            (span.changes[1], span.over) = (change, over);
        }
        Ok(copy)
    }

    /// Returns whether the call that ends the last span has not returned.
    pub(crate) fn is_going(&self) -> bool {
        self.0.iter().any(Span::is_going)
    }

    /// Returns whether no span is remembered that was over in `oldest` or later.
    pub(crate) fn is_over(&self, oldest: u32) -> bool {
        self.0.iter().all(|span| span.over < oldest)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<Span>()
    }
}

/// Returns the greatest number that two timelines and their present spans allowed together at any
/// moment since `oldest`: the lesser of both, where they overlap.
pub(crate) fn greatest(
    tables: (&Timeline, Span),
    models: (&Timeline, Span),
    operation: Operation,
    oldest: u32,
) -> u64 {
    let all = |(timeline, present): (&Timeline, Span)| {
        timeline.0.clone().into_iter().filter(move |span| span.over >= oldest).chain([present])
    };
    let i = operation.index();
    let mut most = 0;
    for table in all(tables) {
        for model in all(models) {
            if table.meets(&model) {
                most = most.max(table.thresholds[i].min(model.thresholds[i]));
            }
        }
    }
    most
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn span(since: u64, until: u64, threshold: u64) -> Span {
        Span {
            changes: [since, until],
            over: until.try_into().unwrap_or(u32::MAX),
            thresholds: [threshold; 2],
        }
    }

    fn most(tables: &[Span], models: &[Span], oldest: u32) -> u64 {
        let timeline = |spans: &[Span]| Timeline(spans[..spans.len() - 1].to_vec());
        let (of_tables, of_models) = (timeline(tables), timeline(models));
        let present = |spans: &[Span]| *spans.last().unwrap();
        greatest((&of_tables, present(tables)), (&of_models, present(models)), Operation::Write, oldest)
    }

    /// They were remembered apart: a table's greatest counted with the models' greatest, which it
    /// had never met.
    #[test]
    fn what_was_never_in_force_together_does_not_count_together() {
        let models = [span(0, 10, u64::MAX), span(9, TO_COME, 106)];
        let tables = [span(0, 20, 1), span(19, TO_COME, 238)];
        assert_eq!(most(&tables, &models, 0), 106);
        let tables = [span(0, 6, 1), span(5, TO_COME, 238)];
        assert_eq!([0, 10, 11].map(|oldest| most(&tables, &models, oldest)), [238, 238, 106]);
    }

    #[test]
    fn of_many_changes_the_greatest_is_never_forgotten_before_its_time() {
        let mut timeline = Timeline::default();
        for n in 0..100 {
            let threshold = [1_000, 5][usize::from(n != 50)];
            let oldest = (n as u32).saturating_sub(60);
            timeline = timeline.with(Some(span(n, n + 1, threshold)), oldest).unwrap();
            assert!(timeline.0.len() <= SPANS);
            let (present, models) = (Span::since(n + 1, [5; 2]), Span::since(0, [u64::MAX; 2]));
            let nothing = &Timeline::default();
            let most = greatest((&timeline, present), (nothing, models), Operation::Read, oldest);
            assert_eq!(most, if n >= 50 { 1_000 } else { 5 }, "{n}");
        }
    }

    #[test]
    fn what_is_going_is_not_over() {
        let timeline = Timeline::default().with(Some(Span::since(0, [7; 2])), 0).unwrap();
        assert!(!timeline.is_over(u32::MAX) && timeline.is_going());
        let over = timeline.over(1, 9, 0).unwrap();
        assert!(!over.is_over(9) && over.is_over(10) && !over.is_going());
    }
}
