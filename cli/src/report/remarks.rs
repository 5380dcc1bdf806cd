//! Remarks: lines on what no partition was charged with, and on memory.

use crate::input::account::grouped;
use crate::report::tallies::Tallies;
use crate::report::text;
use hotpart::Statistics;

/// The bytes from which on a bound is suggested.
pub const MUCH: u64 = 1 << 30;

/// Returns a line on how to bound so much memory.
pub fn much(bytes: u64) -> String {
    format!("counts hold {}; --memory 64MiB bounds them, and misses nothing hot", text::bytes(bytes))
}

/// Returns lines about memory, and about what no partition was charged with.
pub fn told(statistics: &Statistics, tallies: &Tallies, most_bytes: u64, memory: Option<u64>) -> Vec<String> {
    let mut lines = Vec::new();
    let [scans, _, unprocessed, _, throttles] = statistics.unattributed;
    for (n, what) in [
        (scans, "scans, and statements that name no key"),
        (unprocessed, "items of batches that DynamoDB did not process"),
        (throttles, "throttles of which no key is known"),
        (statistics.unread, "operations that could not be read, or whose table's key was not known in time"),
    ] {
        if n > 0 {
            lines.push(format!("charged to no partition: {} {what}", grouped(n)));
        }
    }
    let held = text::bytes(most_bytes);
    match memory {
        None if most_bytes > MUCH => lines.push(much(most_bytes)),
        None => lines.push(format!("All counts are exact. Memory used for counting: {held}.")),
        Some(_) => lines.extend(bounded(&held, statistics.kept_out, tallies)),
    }
    lines
}

/// Returns lines on how far counts within bounded memory can be trusted.
fn bounded(held: &str, kept_out: u64, tallies: &Tallies) -> Vec<String> {
    let Tallies { dropped, dropped_hot, left_out, .. } = *tallies;
    let all = match (kept_out, dropped_hot + left_out) {
        (0, 0) => ", and nothing hot is missed",
        (_, 0) => ", and nothing is missed that was hot by its counts",
        _ => "",
    };
    let mut lines = vec![format!("counted within {held}: ≤ is at most, ≥ is at least{all}")];
    if kept_out + dropped > 0 {
        lines.push("that is little for this log; with more --memory numbers are better:".into());
    }
    if kept_out > 0 {
        lines.push(format!(
            "  {} records of partitions that were to be counted by themselves were not: of one that is listed by those alone it is told what \
             it had at most, hot or not, and one that was throttled may be missing",
            grouped(kept_out)
        ));
    }
    if left_out > 0 {
        lines.push(format!("  {} such records may be of hot partitions that are missing", grouped(left_out)));
    }
    if dropped > 0 {
        let hot = match dropped_hot {
            0 => "none of which was hot by then".into(),
            n => format!(
                "{} of which were hot: so more were hot than is told, and those that are missing came less near to their limit or were \
                 throttled",
                grouped(n)
            ),
        };
        lines.push(format!(
            "  {} times a partition was dropped from the report, {hot}; of one that came again all but its fullest second is of the time \
             since",
            grouped(dropped)
        ));
    }
    lines
}
