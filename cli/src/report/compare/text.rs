//! The comparison as a person reads it.

use crate::input::account::grouped;
use crate::readable::counted;
use crate::report::compare::build::shown;
use crate::report::compare::model::{ComparisonReport, ContributorReport, NotListed};
use crate::report::human::{self, NAME, line, name, wrapped};
use crate::report::text::{many, readable};
use crate::time::Clock;

/// Writes one comparison.
pub fn write(text: &mut String, comparison: &ComparisonReport) {
    let ComparisonReport { rule, counts, from_ms, until_ms, contributors, .. } = comparison;
    let rule = name(rule.as_deref().unwrap_or(&comparison.file), 2 * NAME);
    let time = match (*from_ms, *until_ms) {
        (Some(from), Some(until)) => {
            let clock = Clock::of_log(from);
            format!("{} to {} UTC", clock.second(from), clock.second(until))
        }
        _ => "all of the log".into(),
    };
    line(text, format_args!("\nContributor Insights: {rule}, keys {counts}, {time}"));
    if contributors.is_empty() {
        line(text, "It lists no keys.");
    } else {
        table(text, contributors);
        let (total, unique) = (shown(comparison.total), grouped(comparison.unique));
        line(text, format_args!(" {total} in total, of about {unique} keys, by Insights' own count"));
    }
    let cold: Vec<_> = contributors.iter().filter(|of| !of.hot).collect();
    if !cold.is_empty() {
        let absent = cold.iter().filter(|of| !of.in_log).count() as u64;
        let absent = match absent {
            0 => String::new(),
            1 => " (1 of them is not in the log at all)".into(),
            n => format!(" ({} of them are not in the log at all)", grouped(n)),
        };
        let [cold, all] = [cold.len(), contributors.len()].map(|n| grouped(n as u64));
        line(text, format_args!(" Listed, but not hot in the log: {cold} of {all}{absent}."));
    }
    not_listed(text, comparison);
    for remark in &comparison.remarks {
        for row in wrapped(&readable(remark.as_bytes(), true), 100) {
            line(text, format_args!("  {row}"));
        }
    }
}

fn table(text: &mut String, contributors: &[ContributorReport]) {
    let has_throttles = contributors.iter().any(|of| of.throttles.is_some());
    let mut head = vec!["pk", "Insights", "log", "difference", "writes", "reads", "in the log"];
    if has_throttles {
        head.insert(6, "throttles");
    }
    let rows = contributors.iter().map(|of| {
        let state = match (of.hot, of.in_log) {
            (true, _) => "hot",
            (false, true) => "not hot",
            (false, false) => "nothing",
        };
        let mut row = vec![name(&of.pk, NAME)];
        row.extend([of.insights, of.log, of.difference].map(shown));
        row.extend([of.writes, of.reads].map(|amount| amount.to_string()));
        row.extend(of.throttles.map(grouped));
        row.push(state.into());
        row
    });
    human::table(text, &head, 1..head.len() - 1, rows);
}

fn not_listed(text: &mut String, comparison: &ComparisonReport) {
    let ComparisonReport { not_listed, not_listed_more, .. } = comparison;
    if not_listed.is_empty() {
        match (comparison.has_time, comparison.tables.is_empty()) {
            (false, _) => {
                line(text, " The log has nothing in the time of this report, so nothing was compared.");
            }
            // A remark says so.
            (true, true) => {}
            (true, false) => line(text, " All that was hot in the log is listed."),
        }
        return;
    }
    line(text, " Hot in the log and not listed by Insights:");
    for NotListed { table, pk, log, writes, reads, throttles, .. } in not_listed {
        let throttled = match throttles {
            0 => String::new(),
            n => format!(", throttled {} for its key range", counted(*n, "time")),
        };
        let (table, pk, value) = (name(table, NAME), name(pk, NAME), shown(*log));
        line(
            text,
            format_args!(
                "  {table} / {pk}: {value}, of {writes} write{} and {reads} read{}{throttled}",
                many(*writes),
                many(*reads)
            ),
        );
    }
    if *not_listed_more > 0 {
        line(text, format_args!("  and {} more", grouped(*not_listed_more)));
    }
}
