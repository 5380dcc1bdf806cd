//! The sweep: the same log under a ladder of thresholds, and which of them to take.

use crate::backtest::args::Backtest;
use crate::backtest::trial::Tried;
use crate::backtest::verdict::Verdict;
use crate::input::account::grouped;
use crate::readable::counted;
use crate::thresholds::When;
use anyhow::{Context, Result, bail};

/// The steps unless the command line says otherwise, as multiples of the chosen thresholds.
const LADDER: [f64; 8] = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0];
/// The most that are tried at once: each has a detector.
const MOST: usize = 64;

/// One step of the ladder, and its warnings.
#[derive(Clone, Debug)]
pub struct Row {
    pub when: When,
    pub warnings: u64,
    /// Partitions that were warned of.
    pub partitions: u64,
    /// Partitions of which a warning stood when the period began.
    pub standing: u64,
    pub verdict: Verdict,
}

impl Row {
    pub fn new(when: When, tried: &Tried) -> Self {
        let heard = &tried.heard;
        let (partitions, standing) = (heard.warned_partitions(), heard.standing_partitions());
        Self { when, warnings: heard.n, partitions, standing, verdict: Verdict::of(heard) }
    }

    /// Returns the thresholds in a few words: "800 writes, 2,500 reads".
    pub fn label(&self) -> String {
        match self.when.counts() {
            Some([writes, reads]) => format!("{}, {}", counted(writes, "write"), counted(reads, "read")),
            None => {
                let share = self.when.limits_share().unwrap_or_default();
                format!("{} % of the limits", (share * 1_000.0).round() / 10.0)
            }
        }
    }
}

/// Returns the thresholds to try, the lowest first; none without a sweep.
pub fn ladder(args: &Backtest) -> Result<Vec<When>> {
    let Some(list) = &args.sweep else { return Ok(vec![]) };
    if list.len() > MOST {
        bail!("--sweep takes up to {MOST} thresholds");
    }
    let base = match args.when.counts() {
        Some([writes, _]) => writes as f64,
        None => args.when.limits_share().context("a preset has either")?,
    };
    let mut steps = Vec::new();
    if list.is_empty() {
        steps.extend(LADDER.iter().filter_map(|&factor| args.when.times(factor)));
        // There is nothing to try above the whole of DynamoDB's limit.
        if args.when.limits_share().is_some_and(|share| share < 1.0) {
            steps.extend(args.when.times(1.0 / base));
        }
    }
    for &threshold in list {
        if !(threshold > 0.0 && threshold.is_finite()) {
            bail!("--sweep: {threshold} is no threshold: it must be more than 0");
        }
        let when = args.when.times(threshold / base);
        let wrong = || {
            format!(
                "--sweep: with --preset dynamodb thresholds are shares of its limits, from 0.001 to 1, as in 0.5: {threshold} is not"
            )
        };
        steps.push(when.with_context(wrong)?);
    }
    let order = |when: &When| (when.counts(), when.limits_share().map(f64::to_bits));
    steps.sort_by_key(order);
    steps.dedup_by_key(|when| order(when));
    Ok(steps)
}

/// One step of the ladder, or none, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recommendation {
    pub row: Option<usize>,
    /// Whole sentences, of which the first is on these thresholds, or on all that were tried.
    pub reason: String,
}

/// Recommends one of the steps, of which there is at least one, and which rise: by throttles if the
/// log has them, else by the number of warnings an hour that a person bears.
pub fn recommend(rows: &[Row], hours: f64, an_hour: u64) -> Recommendation {
    let throttled = rows.first().map_or(0, |row| row.verdict.throttled());
    if throttled > 0 { by_throttles(rows, throttled) } else { by_warnings(rows, hours, an_hour) }
}

fn by_throttles(rows: &[Row], throttled: u64) -> Recommendation {
    let least = rows.iter().map(|row| row.verdict.missed).min().unwrap_or(throttled);
    let row = rows.iter().rposition(|row| row.verdict.missed == least);
    let (any, each): (String, String) = match throttled {
        1 => ("the throttled partition".into(), "the throttled partition".into()),
        _ => {
            let of = counted(throttled, "throttled partition");
            (format!("any of the {of}"), format!("each of the {of}"))
        }
    };
    if least == throttled {
        let reason = format!("None of these warned before the first throttle of {any}. Try lower ones.");
        return Recommendation { row: None, reason };
    }
    let reason = match least {
        0 => format!("These are the highest that warned before the first throttle of {each}."),
        _ => format!(
            "These are the highest of those that missed fewest, {} of the {}. Lower ones may miss fewer.",
            grouped(least),
            counted(throttled, "throttled partition")
        ),
    };
    Recommendation { row, reason }
}

fn by_warnings(rows: &[Row], hours: f64, an_hour: u64) -> Recommendation {
    const WHY: &str = "There are no throttles to go by.";
    if rows.iter().all(|row| row.warnings == 0) && rows.iter().any(|row| row.standing > 0) {
        let reason = "None of these warned in the period, but some did shortly before --from: within an interval (--interval) there is \
            no second warning. Begin earlier."
            .into();
        return Recommendation { row: None, reason };
    }
    if rows.iter().all(|row| row.warnings == 0) {
        let reason =
            "None of these warned at all, so the log does not tell which is better. Try lower ones.".into();
        return Recommendation { row: None, reason };
    }
    let bearable = an_hour as f64 * hours;
    let bound = counted(an_hour, "warning");
    let row = rows.iter().position(|row| row.warnings as f64 <= bearable);
    let reason = match row {
        Some(0) => {
            format!("These are the lowest that were tried, with at most {bound} an hour (--an-hour). {WHY}")
        }
        Some(_) => format!("These are the lowest with at most {bound} an hour (--an-hour). {WHY}"),
        None => {
            // Above the whole of DynamoDB's limits there is nothing to try.
            let is_all =
                rows.last().is_some_and(|row| row.when.limits_share().is_some_and(|share| share >= 1.0));
            let way = if is_all { "Allow" } else { "Try higher ones, allow" };
            format!(
                "All of these gave more than {bound} an hour. {way} more (--an-hour), or warn less often about one partition \
                 (--interval). {WHY}"
            )
        }
    };
    Recommendation { row, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Backtest,
    }

    fn steps(line: &str) -> Result<Vec<When>> {
        let words = ["test", "file"].into_iter().chain(line.split_whitespace());
        ladder(&Line::parse_from(words).args)
    }

    fn counts(line: &str) -> Vec<[u64; 2]> {
        steps(line).unwrap().iter().map(|when| when.counts().unwrap()).collect()
    }

    #[test]
    fn the_ladder_is_multiples_or_what_was_asked_for() {
        assert_eq!(counts(""), [] as [[u64; 2]; 0]);
        assert_eq!(counts("--sweep").len(), LADDER.len());
        assert_eq!(counts("--sweep")[..2], [[200, 625], [400, 1_250]]);
        assert_eq!(counts("--sweep=400,100,100"), [[100, 313], [400, 1_250]]);
        assert_eq!(counts("--sweep --writes 1 --reads 1"), [[1, 1], [2, 2], [3, 3], [4, 4]]);
        assert!(steps("--sweep=0").is_err() && steps("--sweep=-1").is_err() && steps("--sweep=inf").is_err());
    }

    #[test]
    fn of_dynamodbs_limits_the_ladder_is_shares() {
        let shares =
            |line: &str| -> Vec<f64> { steps(line).unwrap().iter().filter_map(When::limits_share).collect() };
        assert_eq!(shares("--preset dynamodb --sweep"), [0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(shares("--preset dynamodb --sweep=0.9,0.5"), [0.5, 0.9]);
        assert!(steps("--preset dynamodb --sweep=1.5").is_err());
    }

    /// Rows with so many warnings, and so many throttled that were missed, of three.
    fn rows(numbers: &[(u64, u64)], throttled: u64) -> Vec<Row> {
        let when = steps("--sweep").unwrap().remove(0);
        let row = |&(warnings, missed)| {
            let verdict = Verdict { caught: throttled - missed, missed, ..Verdict::default() };
            Row { when: when.clone(), warnings, partitions: warnings, standing: 0, verdict }
        };
        numbers.iter().map(row).collect()
    }

    #[test]
    fn with_throttles_the_highest_that_misses_none_is_recommended() {
        let recommended = |numbers: &[(u64, u64)]| recommend(&rows(numbers, 3), 1.0, 6).row;
        assert_eq!(recommended(&[(90, 0), (40, 0), (20, 1)]), Some(1));
        assert_eq!(recommended(&[(90, 1), (40, 1), (20, 3)]), Some(1));
        assert_eq!(recommended(&[(90, 3), (40, 3)]), None, "all miss all");
    }

    #[test]
    fn without_throttles_the_lowest_that_is_bearable_is_recommended() {
        let recommended = |hours| recommend(&rows(&[(90, 0), (12, 0), (5, 0)], 0), hours, 6).row;
        assert_eq!([1.0, 2.0, 100.0].map(recommended), [Some(2), Some(1), Some(0)]);
        let all_too_many = recommend(&rows(&[(90, 0), (12, 0)], 0), 1.0, 6);
        assert_eq!(all_too_many.row, None);
        assert!(
            all_too_many
                .reason
                .starts_with("All of these gave more than 6 warnings an hour. Try higher ones")
        );
        let silent = recommend(&rows(&[(0, 0), (0, 0)], 0), 1.0, 6);
        assert_eq!(silent.row, None, "nothing to tell them apart by");
        assert!(silent.reason.starts_with("None of these warned at all"), "{}", silent.reason);
        let mut standing = rows(&[(0, 0), (0, 0)], 0);
        standing[0].standing = 1;
        let silenced = recommend(&standing, 1.0, 6).reason;
        assert!(
            silenced.contains("shortly before --from") && silenced.ends_with("Begin earlier."),
            "{silenced}"
        );
    }

    #[test]
    fn above_the_whole_limit_no_higher_thresholds_are_advised() {
        let whole = steps("--preset dynamodb --sweep=1").unwrap();
        let verdict = Verdict::default();
        let rows = whole.into_iter().map(|when| Row {
            when,
            warnings: 90,
            partitions: 9,
            standing: 0,
            verdict: verdict.clone(),
        });
        let Recommendation { row, reason } = recommend(&rows.collect::<Vec<_>>(), 1.0, 6);
        assert_eq!(row, None);
        assert!(
            reason.contains("Allow more (--an-hour), or warn less often") && !reason.contains("higher"),
            "{reason}"
        );
    }
}
