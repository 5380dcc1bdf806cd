//! A detector and the truth beside it. The fuzz target `bounded` has them from here.

use crate::heard::Heard;
use crate::oracle::{FULL_MOST, MODEL_NAMES, Oracle, Overrides, SLOT_MOST, Spot, TABLES};
use crate::steps::{FEW, How, Leap, Step};
use crate::terms::Terms;
use hotpart::{Detector, Operation, Reason, Record, Rule, Statistics, TableHandle, Warning};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The last moment of a detector's clock.
const LAST_MS: u64 = 4_294_967_295_999;

type Calls = Arc<Mutex<Vec<Heard>>>;

/// Fails with all that is said.
macro_rules! ensure {
    ($holds:expr, $($said:tt)*) => {
        if !$holds {
            return Err(format!($($said)*));
        }
    };
}

/// A rule, the seconds that it looks at, what they had, and what makes hot.
type Span = (Rule, u32, u64, Option<u64>);

struct Watched<'d> {
    detector: &'d Detector,
    handles: &'d [TableHandle<'d>],
    oracle: Oracle,
    called_back: Calls,
    before: Statistics,
    /// Whether partitions were kept out, and whether any was demoted, once that is known.
    known: [Cell<bool>; 2],
    /// Records that may yet be made.
    left: usize,
}

/// Makes these steps, but no more than so many records.
///
/// # Errors
/// A result that the contract forbids.
pub fn follow(terms: &Terms, steps: impl Iterator<Item = Step>, records: usize) -> Result<(), String> {
    let called_back = Calls::default();
    let to = called_back.clone();
    let callback = move |warning: &Warning<'_>| to.lock().unwrap().push(Heard::new(warning));
    let detector = terms.builder().on_warning(callback).build().unwrap();
    let handles: Vec<_> =
        crate::oracle::TABLE_NAMES.iter().map(|name| detector.table(name).unwrap()).collect();
    let mut watched = Watched {
        detector: &detector,
        handles: &handles,
        oracle: Oracle::new(terms),
        called_back,
        before: Statistics::default(),
        known: Default::default(),
        left: records,
    };
    let mut made = Vec::new();
    for step in steps {
        made.push(step);
        let followed = watched.step(step).and_then(|()| watched.look());
        followed.map_err(|said| {
            let begin = made.len().saturating_sub(40);
            format!("{said}\nat {} ms, with {terms:?}, after {:#?}", watched.oracle.now_ms, &made[begin..])
        })?;
    }
    Ok(())
}

fn operation(number: usize) -> Operation {
    Operation::ALL[number]
}

impl Watched<'_> {
    fn step(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Record(spot, operation, how) => self.record(spot, operation, how),
            Step::Burst(spot, operation, n) => {
                (0..n).try_for_each(|_| self.record(spot, operation, How::Plain))
            }
            Step::Batch { table, operation, first, n, model, amount } => {
                let key = |i: u32| if i.is_multiple_of(2) { (first + i / 2) % FEW } else { 500 + i };
                let spots: Vec<_> = (0..n).map(|i| Spot { table, key: key(i) }).collect();
                self.batch(&spots, operation, model, amount)
            }
            Step::Flood { table, operation, first, n, by_batches } => {
                let n = n.min(self.left as u32);
                let spots: Vec<_> = (first..first + n).map(|key| Spot { table, key }).collect();
                if by_batches {
                    let one = self.oracle.terms.one();
                    return spots.chunks(97).try_for_each(|some| self.batch(some, operation, None, one));
                }
                spots.iter().try_for_each(|&spot| self.record(spot, operation, How::Plain))
            }
            Step::Throttle(spot, operation) => self.throttle(spot, operation),
            Step::Leap(leap) => {
                self.pass(match leap {
                    Leap::Ms(ms) => ms,
                    Leap::Seconds(seconds) => seconds * 1_000,
                    Leap::SubWindows(n) => n * 1_000 * u64::from(self.oracle.terms.sub_window()),
                });
                Ok(())
            }
            Step::Pass { sub_windows, key } => (0..sub_windows).try_for_each(|_| {
                self.pass(u64::from(self.oracle.terms.sub_window()) * 1_000);
                self.record(Spot { table: 0, key }, 0, How::Plain)
            }),
            Step::SetTable(table, both) => {
                self.detector.set_table_thresholds(Spot { table, key: 0 }.table_name(), both).unwrap();
                self.set(step)
            }
            Step::SetModel(model, both) => {
                self.detector.set_model_thresholds(MODEL_NAMES[model], both).unwrap();
                self.set(step)
            }
            Step::Clear => {
                self.detector.clear().unwrap();
                self.oracle.clear();
                Ok(())
            }
            Step::Hottest(operation) => self.hottest(operation),
        }
    }

    fn set(&mut self, step: Step) -> Result<(), String> {
        let mut overrides: Overrides = self.oracle.overrides();
        step.set(&mut overrides);
        self.oracle.set(overrides);
        Ok(())
    }

    fn pass(&mut self, ms: u64) {
        let to = (self.oracle.now_ms + ms).min(LAST_MS);
        self.detector.set_time_ms(to).unwrap();
        self.oracle.set_time(to);
    }

    /// Whether partitions were ever kept out.
    fn kept_out(&self) -> bool {
        self.is_known(0, |now| now.kept_out > 0)
    }

    fn has_demoted(&self) -> bool {
        self.is_known(1, |now| now.demoted > 0)
    }

    fn is_known(&self, what: usize, is: fn(&Statistics) -> bool) -> bool {
        let known = &self.known[what];
        known.set(known.get() || is(&self.detector.statistics()));
        known.get()
    }

    fn taken(&self) -> Vec<Heard> {
        std::mem::take(&mut self.called_back.lock().unwrap())
    }

    fn record(&mut self, spot: Spot, operation: usize, how: How) -> Result<(), String> {
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        let (detector, pk) = (self.detector, spot.pk());
        let (mut model, mut amount) = (None, self.oracle.terms.one());
        let mut warned = Vec::new();
        let returned = match (how, operation) {
            (How::Plain, 0) => detector.record_write(spot.table_name(), &pk),
            (How::Plain, _) => detector.record_read(spot.table_name(), &pk),
            (How::Prepared, 0) => self.handles[spot.table as usize].record_write(&pk),
            (How::Prepared, _) => self.handles[spot.table as usize].record_read(&pk),
            (How::Full { model: of, amount: n }, _) => {
                (model, amount) = (of, n);
                let record = Record::new(spot.table_name(), &pk, Operation::ALL[operation]).amount(amount);
                let named = model.map_or(record, |model| record.model(MODEL_NAMES[model]));
                detector.record_and_warn(&named).map(|(count, warning)| {
                    warned.extend(warning.as_ref().map(Heard::new));
                    count
                })
            }
        };
        let count = returned.map_err(|error| format!("{spot:?}: {error}"))?;
        warned.append(&mut self.taken());
        let before = self.oracle.returned_now(spot, operation);
        self.oracle.record(spot, operation, amount);
        self.oracle.returns(spot, operation, count);
        self.is_enough(count, spot, operation)?;
        // Of one that was kept out nobody may know how much it had.
        let is_known = before <= FULL_MOST || before <= SLOT_MOST && !self.kept_out();
        ensure!(count >= before || !is_known, "{spot:?}: returns {count} where it has returned {before}");
        ensure!(warned.len() <= 1, "one record warns twice: {warned:?}");
        for warning in &warned {
            ensure!((warning.spot, warning.operation) == (spot, operation), "warns of another: {warning:?}");
            ensure!(
                warning.rule != Rule::Window || warning.count == count,
                "returns {count} and warns of another count: {warning:?}"
            );
            self.warning(warning, model)?;
        }
        if let Some(hot) = self.is_hot(spot, operation, model) {
            let told = !warned.is_empty() || self.oracle.was_warned(spot, operation, false);
            ensure!(told, "{spot:?}, operation {operation}, is hot, and nobody told: {hot:?}");
        }
        self.is_close(spot, operation)
    }

    /// Records in one call, of which equal ones are told apart by their order alone.
    fn batch(
        &mut self,
        spots: &[Spot],
        number: usize,
        model: Option<usize>,
        amount: u64,
    ) -> Result<(), String> {
        let spots = &spots[..spots.len().min(self.left)];
        self.left -= spots.len();
        let pks: Vec<_> = spots.iter().map(|spot| spot.pk()).collect();
        let record = |(spot, pk): (&Spot, _)| {
            let record = Record::new(spot.table_name(), pk, operation(number)).amount(amount);
            model.map_or(record, |model| record.model(MODEL_NAMES[model]))
        };
        let records: Vec<_> = spots.iter().zip(&pks).map(record).collect();
        let made = self.detector.record_batch(&records);
        ensure!(made == Ok(records.len()), "a batch of {} returns {made:?}", records.len());
        let mut hot: HashMap<Spot, usize> = HashMap::new();
        for &spot in spots {
            self.oracle.record(spot, number, amount);
            if self.is_hot(spot, number, model).is_some() {
                *hot.entry(spot).or_default() += 1;
            }
        }
        let warned = self.taken();
        warned.iter().try_for_each(|warning| self.warning(warning, model))?;
        for (spot, hot) in hot {
            let told = warned.iter().filter(|warning| warning.spot == spot).count();
            let each = self.oracle.terms.interval_ms() == 0;
            let told = if each { told >= hot } else { self.oracle.was_warned(spot, number, false) };
            ensure!(told, "{hot} records of {spot:?}, operation {number}, were hot, but {warned:?}");
        }
        // Of the others the cells may have got more since.
        spots.last().map_or(Ok(()), |&last| self.is_close(last, number))
    }

    fn throttle(&mut self, spot: Spot, number: usize) -> Result<(), String> {
        let (table, pk, key_range) = (spot.table_name(), spot.pk(), Reason::KeyRange);
        let returned = self.detector.record_throttle(table, &pk, operation(number), key_range);
        let exact = self.oracle.throttle(spot, number);
        let got = self.detector.throttle_count(table, &pk, operation(number), key_range);
        ensure!(
            returned.is_ok_and(|count| count >= exact) && got.is_ok_and(|count| count >= exact),
            "{spot:?}: {exact} throttles, but {returned:?} and {got:?}"
        );
        let warned = self.taken();
        for warning in &warned {
            let is_exact = warning.carried == 0 || self.kept_out();
            let is_one = warning.rule == Rule::Throttle && is_exact;
            ensure!(is_one && warning.count >= exact, "{exact} throttles, but {warning:?}");
            ensure!(!self.oracle.was_warned(spot, number, true) || self.kept_out(), "twice: {warning:?}");
            self.oracle.warn(spot, number, true);
        }
        let told = !warned.is_empty() || self.oracle.was_warned(spot, number, true);
        ensure!(told == self.oracle.terms.warns_of_throttles, "{spot:?} was throttled, and told: {told}");
        Ok(())
    }

    fn exact(&self, spot: Spot, operation: usize) -> u64 {
        self.oracle.exact(spot, operation, self.oracle.terms.window)
    }

    /// A count of the window is not under the truth.
    fn is_enough(&self, count: u64, spot: Spot, operation: usize) -> Result<(), String> {
        let exact = self.exact(spot, operation);
        let floor = self.oracle.floor(exact, spot.table, operation, || self.kept_out());
        ensure!(count >= floor, "{spot:?}, operation {operation}: a count of {count} where {exact} were");
        let is_bounded = self.oracle.terms.memory > 0;
        ensure!(is_bounded || count == exact, "{spot:?}: nothing is bounded, and {count} is not {exact}");
        Ok(())
    }

    /// The rules that a record may meet.
    fn spans(&self, spot: Spot, number: usize, model: Option<usize>) -> [Span; 3] {
        let Oracle { terms, .. } = &self.oracle;
        let window = Some(self.oracle.threshold(spot, number, model));
        let span = |rule, seconds, before, threshold| {
            (rule, seconds, self.oracle.exact(spot, number, before), threshold)
        };
        [
            span(Rule::Window, terms.window, terms.window, window),
            span(Rule::Second, 1, 0, terms.second[number]),
            span(Rule::Sustained, 5, 4, terms.sustained[number]),
        ]
    }

    /// The rule, if there is one, by which what has just been recorded is hot.
    fn is_hot(&self, spot: Spot, number: usize, model: Option<usize>) -> Option<Span> {
        let is_hot = |&(_, _, exact, threshold): &Span| threshold.is_some_and(|threshold| exact >= threshold);
        self.spans(spot, number, model).into_iter().find(is_hot)
    }

    /// A warning is of what its partition has, and not too early.
    fn warning(&mut self, warning: &Heard, model: Option<usize>) -> Result<(), String> {
        let &Heard { spot, operation, rule, seconds, count, threshold, carried, peak } = warning;
        let spans = self.spans(spot, operation, model);
        let Some(&(_, of, exact, expected)) = spans.iter().find(|span| span.0 == rule) else {
            return Err(format!("no record warns by this rule: {warning:?}"));
        };
        ensure!(Some(threshold) == expected && seconds == of, "{expected:?} in {of} s, but {warning:?}");
        ensure!(count >= threshold, "warns early: {warning:?}");
        ensure!(carried <= count && count - carried <= exact, "{exact} were, but {warning:?}");
        ensure!(peak > 0 && (peak <= count || rule != Rule::Window), "{exact} were, but {warning:?}");
        let share = self.oracle.share(spot.table, operation);
        let in_share = exact + share > threshold && carried < share;
        ensure!(in_share || self.kept_out(), "{exact} were, and a share is {share}, but {warning:?}");
        ensure!(carried == 0 || self.oracle.terms.memory > 0, "nothing is bounded, but {warning:?}");
        let again = self.oracle.was_warned(spot, operation, false);
        ensure!(!again || self.kept_out(), "warns twice in an interval: {warning:?}");
        self.oracle.warn(spot, operation, false);
        Ok(())
    }

    /// A partition just recorded is counted exactly, or has less than its share; if nothing was
    /// kept out. The very call may have demoted it: then what has left the window is in the cells,
    /// too.
    fn is_close(&self, spot: Spot, number: usize) -> Result<(), String> {
        let (least, most) = self.bounds(spot, number)?;
        let share = self.oracle.share(spot.table, number);
        ensure!(
            most - least < share || self.kept_out() || least == 0 && self.has_demoted(),
            "{spot:?}, operation {number}: {least} to {most}, where a share is {share}"
        );
        Ok(())
    }

    /// Both bounds are on their sides of the truth, and the greater is the count.
    fn bounds(&self, spot: Spot, number: usize) -> Result<(u64, u64), String> {
        let (detector, table, pk) = (self.detector, spot.table_name(), spot.pk());
        let bounds = detector.bounds(table, &pk, operation(number)).unwrap();
        let count = match number {
            0 => detector.write_count(table, &pk),
            _ => detector.read_count(table, &pk),
        };
        let exact = self.exact(spot, number);
        ensure!(count == Ok(bounds.most), "{spot:?}: {bounds:?}, but the count is {count:?}");
        ensure!(bounds.least <= exact, "{spot:?}, operation {number}: {exact} were, but {bounds:?}");
        self.is_enough(bounds.most, spot, number)?;
        Ok((bounds.least, bounds.most))
    }

    fn hottest(&self, number: usize) -> Result<(), String> {
        for hot in self.detector.hottest(operation(number), 1_000).unwrap() {
            let spot = Spot::read(&hot.table, &hot.pk);
            let (exact, throttles) = (self.exact(spot, number), self.oracle.throttled(spot, number));
            ensure!(hot.count.saturating_sub(hot.carried) <= exact, "{exact}, but {hot:?}");
            ensure!(hot.throttles >= throttles, "{throttles} throttles, but {hot:?}");
            let one = if self.oracle.terms.capacity { 2 } else { 1 };
            let demand = exact + one * throttles;
            ensure!(hot.carried <= hot.demand && hot.demand - hot.carried <= demand, "{demand}, but {hot:?}");
            self.is_enough(hot.count, spot, number)?;
        }
        Ok(())
    }

    /// Looks at all keys that come again and again, and at the statistics.
    fn look(&mut self) -> Result<(), String> {
        for key in 0..FEW {
            for table in 0..TABLES as u8 {
                for operation in [0, 1] {
                    self.bounds(Spot { table, key }, operation)?;
                }
            }
        }
        let (now, before) = (self.detector.statistics(), self.before);
        let memory = self.oracle.terms.memory;
        let numbers = |of: &Statistics| [of.promoted, of.demoted, of.kept_out];
        let mut pairs = numbers(&before).into_iter().zip(numbers(&now));
        ensure!(pairs.all(|(before, now)| before <= now), "{before:?}, and then {now:?}");
        if memory == 0 {
            ensure!(numbers(&now) == [0; 3] && now.filter_load_permille == 0, "nothing is bounded: {now:?}");
        } else {
            ensure!(now.bytes <= memory, "{} bytes of {memory}: {now:?}", now.bytes);
            ensure!(now.partitions + now.demoted <= now.promoted, "{now:?}");
            ensure!(now.replaced == 0, "{now:?}");
        }
        self.before = now;
        Ok(())
    }
}
