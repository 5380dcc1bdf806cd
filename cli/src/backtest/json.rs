//! The outcome as JSON. Its schema is stable: members may be added, none is renamed.
//!
//! | member | means |
//! |---|---|
//! | `records` | records in the files: lines, or events |
//! | `partitions` | distinct partitions in them, or in the period; `null` with --memory, which keeps no list |
//! | `period` | with --from or --until: `from_ms` and `until_ms` as given, `log_first_ms` and `log_last_ms` of the whole log, and `standing`, how many partitions were warned of less than an interval before `from_ms` |
//! | `warnings` | in the order of time |
//! | `warnings[].time_ms` | when, as the log's times are |
//! | `warnings[].table`, `pk` | the partition. Of bytes that are not UTF-8 they have what the log line shows, and `table_base64` or `pk_base64` has the bytes |
//! | `warnings[].operation` | `write` or `read` |
//! | `warnings[].count`, `threshold` | operations, or capacity units to the half with --preset dynamodb |
//! | `warnings[].rule` | `window`, `second` or `sustained` (five seconds) |
//! | `warnings[].window_seconds` | the seconds that the rule looks at |
//! | `warnings[].carried` | at most so much of `count` is other partitions', or older; left out where 0 |
//! | `throttles` | if there were any for a key range: `caught`, `missed` and `in_vain` partitions and operations, `median_lead_ms`, and `series` with the first throttle and warning of each. A warning that stood at `from_ms` is the first |
//! | `sweep` | with --sweep, the thresholds that were tried, and what each gives |
//! | `recommended` | with --sweep, `step`, its number in `sweep` from 0 or `null`, and the `reason` |
//! | `account` | what came of every record |

use crate::backtest::args::Backtest;
use crate::backtest::heard::{Name, Warned};
use crate::backtest::outcome::Outcome;
use crate::backtest::sweep::{Recommendation, Row, recommend};
use crate::backtest::verdict::Verdict;
use crate::feed::Measure;
use crate::input::account::Account;
use crate::readable::Readable;
use anyhow::Result;
use hotpart::{Operation, Rule};
use serde::{Serialize, Serializer};
use std::io::Write;

#[derive(Serialize)]
struct Printed<'a> {
    records: u64,
    partitions: Option<u64>,
    warnings: Vec<Warning<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throttles: Option<Throttles<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sweep: Option<Vec<Step>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recommended: Option<Recommended>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<Looked>,
    account: &'a Account,
}

/// The period that was looked at.
#[derive(Serialize)]
struct Looked {
    from_ms: Option<u64>,
    until_ms: Option<u64>,
    log_first_ms: Option<u64>,
    log_last_ms: Option<u64>,
    standing: u64,
}

#[derive(Serialize)]
struct Warning<'a> {
    time_ms: u64,
    #[serde(flatten)]
    partition: Partition<'a>,
    operation: &'static str,
    count: Amount,
    threshold: Amount,
    rule: &'static str,
    window_seconds: u32,
    #[serde(skip_serializing_if = "Amount::is_zero")]
    carried: Amount,
}

#[derive(Serialize)]
struct Partition<'a> {
    table: Shown<'a>,
    pk: Shown<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pk_base64: Option<String>,
}

#[derive(Serialize)]
struct Throttles<'a> {
    #[serde(flatten)]
    judged: Judged,
    series: Vec<Throttled<'a>>,
}

#[derive(Serialize)]
struct Judged {
    caught: u64,
    missed: u64,
    in_vain: u64,
    median_lead_ms: Option<u64>,
}

#[derive(Serialize)]
struct Throttled<'a> {
    #[serde(flatten)]
    partition: Partition<'a>,
    operation: &'static str,
    first_throttle_ms: Option<u64>,
    first_warning_ms: Option<u64>,
    lead_ms: Option<u64>,
}

#[derive(Serialize)]
struct Step {
    #[serde(skip_serializing_if = "Option::is_none")]
    writes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reads: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
    warnings: u64,
    partitions: u64,
    #[serde(flatten)]
    judged: Option<Judged>,
}

#[derive(Serialize)]
struct Recommended {
    step: Option<usize>,
    reason: String,
}

/// Bytes: text as it is, others as the log line shows them.
struct Shown<'a>(&'a [u8]);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.collect_str(&Readable(self.0)),
        }
    }
}

/// An amount: of half units as units.
#[derive(Clone, Copy)]
struct Amount {
    n: u64,
    measure: Measure,
}

impl Amount {
    fn is_zero(&self) -> bool {
        self.n == 0
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.measure {
            Measure::Operations => serializer.serialize_u64(self.n),
            Measure::HalfUnits if self.n.is_multiple_of(2) => serializer.serialize_u64(self.n / 2),
            Measure::HalfUnits => serializer.serialize_f64(self.n as f64 / 2.0),
        }
    }
}

impl<'a> From<&'a Name> for Partition<'a> {
    fn from(Name { table, pk }: &'a Name) -> Self {
        let bytes = |name: &[u8]| std::str::from_utf8(name).is_err().then(|| base64(name));
        Self { table: Shown(table), pk: Shown(pk), table_base64: bytes(table), pk_base64: bytes(pk) }
    }
}

impl From<&Verdict> for Judged {
    fn from(&Verdict { caught, missed, in_vain, median_lead_ms }: &Verdict) -> Self {
        Self { caught, missed, in_vain, median_lead_ms }
    }
}

impl From<&Row> for Step {
    fn from(row: &Row) -> Self {
        let [writes, reads] = row.when.counts().map_or([None, None], |counts| counts.map(Some));
        Self {
            writes,
            reads,
            share: row.when.limits_share(),
            warnings: row.warnings,
            partitions: row.partitions,
            judged: (row.verdict.throttled() > 0).then(|| Judged::from(&row.verdict)),
        }
    }
}

/// Prints the outcome on one line.
pub fn write(out: &mut impl Write, args: &Backtest, outcome: &Outcome) -> Result<()> {
    let heard = &outcome.chosen.heard;
    let measure = args.when.measure();
    let warning = |warned: &Warned| Warning {
        time_ms: warned.time_ms,
        partition: heard.name(warned.partition).into(),
        operation: operation(warned.operation),
        count: Amount { n: warned.count, measure },
        threshold: Amount { n: warned.threshold, measure },
        rule: rule(warned.rule),
        window_seconds: warned.window_seconds,
        carried: Amount { n: warned.carried, measure },
    };
    let verdict = Verdict::of(heard);
    let throttles = (verdict.throttled() > 0).then(|| {
        let throttled = heard.series.iter().filter(|(_, series)| series.first_throttle_ms.is_some());
        let series = throttled.map(|(&(partition, of), series)| Throttled {
            partition: heard.name(partition).into(),
            operation: operation(of),
            first_throttle_ms: series.first_throttle_ms,
            first_warning_ms: series.earliest_ms(),
            lead_ms: series.lead_ms(),
        });
        Throttles { judged: Judged::from(&verdict), series: series.collect() }
    });
    let recommended = args.sweep.as_ref().map(|_| {
        let Recommendation { row, reason } = recommend(&outcome.rows, outcome.hours(), args.an_hour);
        Recommended { step: row, reason }
    });
    let period = outcome.period;
    let (log_first_ms, log_last_ms) = period.log_ms().unzip();
    let standing = heard.standing_partitions();
    let looked = Looked { from_ms: period.from, until_ms: period.until, log_first_ms, log_last_ms, standing };
    let printed = Printed {
        records: outcome.account.records,
        partitions: outcome.partitions,
        warnings: heard.warnings.iter().map(warning).collect(),
        throttles,
        sweep: args.sweep.as_ref().map(|_| outcome.rows.iter().map(Step::from).collect()),
        recommended,
        period: (!period.is_all()).then_some(looked),
        account: &outcome.account,
    };
    serde_json::to_writer(&mut *out, &printed).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

pub fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Write => "write",
        Operation::Read => "read",
    }
}

fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::Window => "window",
        Rule::Second => "second",
        Rule::Sustained => "sustained",
        Rule::Throttle => "throttle",
        _ => "other",
    }
}

/// Encodes bytes as RFC 4648 has it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | usize::from(*three.get(i).unwrap_or(&0)));
        for i in 0..4 {
            let digit = char::from(DIGITS[bits >> (18 - 6 * i) & 63]);
            text.push(if i <= three.len() { digit } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those of RFC 4648, section 10.
    #[test]
    fn bytes_are_encoded_as_the_standard_has_it() {
        let encoded = [&b""[..], b"f", b"fo", b"foo", b"foob", b"fooba", b"foobar"].map(base64);
        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
        assert_eq!(base64(&[0xFF, 0xEF, 0]), "/+8A");
    }

    #[test]
    fn half_units_are_printed_as_units() {
        let printed = |n, measure| serde_json::to_string(&Amount { n, measure }).unwrap();
        assert_eq!(printed(3, Measure::Operations), "3");
        assert_eq!(
            (printed(3, Measure::HalfUnits), printed(4, Measure::HalfUnits)),
            ("1.5".into(), "2".into())
        );
    }
}
