//! Remarks: lines on what no partition was charged with, and on memory.

use crate::input::account::grouped;
use crate::readable::counted;
use crate::report::tallies::Tallies;
use crate::report::text;
use hotpart::Statistics;

/// The bytes from which on a bound is suggested.
pub const MUCH: u64 = 1 << 30;

/// Returns a line on how to bound so much memory.
pub fn much(bytes: u64) -> String {
    format!(
        "Counting takes {} of memory. --memory 64MiB limits that; some numbers are then upper or lower limits.",
        text::bytes(bytes)
    )
}

/// Returns lines about memory, and about what no partition was charged with.
pub fn told(statistics: &Statistics, tallies: &Tallies, most_bytes: u64, memory: Option<u64>) -> Vec<String> {
    let mut lines = Vec::new();
    let [scans, _, unprocessed, _, throttles] = statistics.unattributed;
    for (n, what) in [
        (scans, ["scan or statement without a key", "scans or statements without a key"]),
        (
            unprocessed,
            [
                "item of a batch that DynamoDB did not process",
                "items of batches that DynamoDB did not process",
            ],
        ),
        (throttles, ["throttle whose key is unknown", "throttles whose keys are unknown"]),
        (
            statistics.unread,
            [
                "operation that was unreadable, or whose partition key was unknown",
                "operations that were unreadable, or whose partition key was unknown",
            ],
        ),
    ] {
        if n > 0 {
            lines.push(format!("Not counted for any partition: {} {}", grouped(n), what[usize::from(n > 1)]));
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
        (0, 0) => " No hot partition is missing.",
        (_, 0) => " No partition is missing that was hot by these numbers.",
        _ => "",
    };
    let mut lines =
        vec![format!("Memory used for counting: {held}. ≤ means at most, ≥ means at least.{all}")];
    if kept_out + dropped > 0 {
        lines.push("That is little memory for this log. More --memory gives better numbers:".into());
    }
    if kept_out > 0 {
        lines.push(format!(
            "  {} {} of partitions that needed a counter of their own and got none. The numbers of these partitions are upper limits, \
             and throttled ones may be missing.",
            counted(kept_out, "record"),
            if kept_out == 1 { "was" } else { "were" }
        ));
    }
    if left_out > 0 {
        lines.push(format!(
            "  {} of these records may be of hot partitions that are missing.",
            grouped(left_out)
        ));
    }
    if dropped > 0 {
        let hot = match dropped_hot {
            0 => "none was hot by then".into(),
            n => format!(
                "{} of these {} hot. So more partitions were hot than the report says; those that are missing came less close to \
                 their limit, or were throttled",
                grouped(n),
                if n == 1 { "was" } else { "were" }
            ),
        };
        lines.push(format!(
            "  A partition was dropped from the report {}: {hot}. If a dropped partition came again, all its numbers but the fullest \
             second are of the time since then.",
            counted(dropped, "time")
        ));
    }
    lines
}
