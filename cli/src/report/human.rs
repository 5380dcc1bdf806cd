//! The report as a person reads it.

use crate::input::account::grouped;
use crate::readable::counted;
use crate::report::compare;
use crate::report::model::{Amount, FullestReport, OperationReport, PartitionReport, Report, Span};
use crate::report::text::{many, percent, shortened};
use crate::time::{Clock, duration};
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};
use std::fmt::{Display, Write as _};
use std::ops::Range;

/// The most letters of a table or a key that are shown.
pub const NAME: usize = 40;

/// Writes the report.
pub fn write(report: &Report<'_>) -> String {
    let mut text = String::new();
    let Some(span) = report.span else {
        return format!("{}\n\n{}\n", report.records.nothing(), report.remarks.join("\n"));
    };
    let page = Page { report, clock: Clock::of_log(span.first_ms) };
    page.head(&mut text, span);
    if report.operations.iter().all(|of| of.hottest.is_empty()) {
        line(&mut text, report.records.nothing());
    }
    for operation in &report.operations {
        if !operation.hottest.is_empty() {
            page.operation(&mut text, operation);
        }
    }
    page.advice(&mut text);
    page.throttles(&mut text);
    for comparison in &report.insights {
        compare::text::write(&mut text, comparison);
    }
    text.push('\n');
    for remark in &report.remarks {
        line(&mut text, remark);
    }
    text
}

pub fn line(text: &mut String, line: impl Display) {
    writeln!(text, "{line}").expect("a string takes all");
}

struct Page<'a> {
    report: &'a Report<'a>,
    clock: Clock,
}

impl Page<'_> {
    fn head(&self, text: &mut String, span: Span) {
        let [first, last] = [span.first_ms, span.last_ms].map(|ms| self.clock.second(ms));
        let zone = if span.utc { "UTC" } else { "from the log's beginning" };
        let length = duration((span.last_ms / 1_000).saturating_sub(span.first_ms / 1_000) + 1);
        line(text, format_args!("{first} to {last} {zone}, {length}"));
        let tables = counted(self.report.tables.len() as u64, "table");
        let mut parts = vec![counted(self.report.records.records, "record"), tables];
        let totals = self.report.operations.iter().filter_map(|of| Some(amount(of.total?, of.operation)));
        parts.extend(totals);
        line(text, parts.join(", "));
    }

    fn operation(&self, text: &mut String, operation: &OperationReport) {
        let is_units = self.report.measure == "units";
        let has_throttles = operation.hottest.iter().any(|hot| hot.throttles > 0);
        let name = match operation.operation {
            _ if is_units => "units",
            "write" => "writes",
            _ => "reads",
        };
        let mut head = vec!["table", "pk", name, "most in one second", "when", "share of limit"];
        if has_throttles {
            head.push("throttles");
        }
        let row = |hot: &PartitionReport| {
            let at = self.when(hot.fullest_second).unwrap_or_default();
            let mut row = vec![
                shown(&full_table(hot)),
                shown(&hot.pk),
                format!("{}{}", if self.report.exact { "" } else { "≥ " }, hot.count),
                most(hot.fullest_second),
                at,
                percent(hot.share),
            ];
            row.extend(has_throttles.then(|| grouped(hot.throttles)));
            row
        };
        let rows = operation.hottest.iter().map(row);
        let each = if is_units { "" } else { ", and each operation is taken for one unit" };
        let listed = operation.hottest.len();
        let all = match (operation.partitions, self.report.exact) {
            (1, true) => "the only partition".into(),
            (n, true) => format!("{listed} of {}", counted(n, "partition")),
            (n, false) => format!("{listed} of {} with a counter of their own", counted(n, "partition")),
        };
        let title = if operation.operation == "write" { "Writes" } else { "Reads" };
        let limit = grouped(operation.limit);
        line(text, format_args!("\n{title}: {all}; the limit of each is {limit} units a second{each}"));
        table(text, &head, 2..head.len(), rows);
        if let Some(others) = operation.others.filter(|others| others.n > 0) {
            let most = if self.report.exact { "" } else { "≤ " };
            let others = amount(others, operation.operation);
            line(text, format_args!(" and {most}{others} of all other partitions"));
        }
    }

    /// Writes what to do for each partition that is hot, or how near the nearest came.
    fn advice(&self, text: &mut String) {
        let all = || self.report.operations.iter().flat_map(|of| of.hottest.iter().map(move |hot| (of, hot)));
        let hot: u64 = self.report.operations.iter().map(|of| of.hot).sum();
        let share = percent(self.report.hot_share);
        if hot == 0 {
            let nearest = all().max_by(|(_, a), (_, b)| a.share.total_cmp(&b.share));
            let Some((of, nearest)) = nearest else { return };
            let at = self.when(nearest.fullest_second);
            let at = at.map_or_else(|| "a second".into(), |second| format!("the second {second}"));
            line(
                text,
                format_args!(
                    "\nNothing was hot (hot means over {share} of the limit). The closest was {} with {}{} in {at}, {} of its limit.",
                    place(nearest),
                    at_most(nearest.fullest_second),
                    amount(nearest.fullest_second.count, of.operation),
                    percent(nearest.share),
                ),
            );
            return;
        }
        line(text, "\nWhat to do");
        for (of, hot) in all() {
            let Some(advice) = &hot.advice else { continue };
            line(text, format_args!("\n  {}s of {}", of.operation, place(hot)));
            for sentence in &advice.text {
                for row in wrapped(sentence, 100) {
                    line(text, format_args!("    {row}"));
                }
            }
        }
        for of in &self.report.operations {
            let listed = of.hottest.iter().filter(|hot| hot.hot).count() as u64;
            if of.hot > listed {
                let (more, all) = (of.hot - listed, of.hot);
                line(
                    text,
                    format_args!(
                        "\n  {} {} hot for {}s. --top {all} lists all.",
                        counted(more, "more partition"),
                        if more == 1 { "was" } else { "were" },
                        of.operation
                    ),
                );
            }
        }
    }

    /// Returns the time of the fullest second or, if its count is an upper bound, the minute.
    fn when(&self, fullest: FullestReport) -> Option<String> {
        let mut second = self.clock.second(fullest.time_ms?);
        if fullest.at_least != fullest.count {
            second.truncate(second.len() - ":00".len());
        }
        Some(second)
    }

    fn throttles(&self, text: &mut String) {
        let others = self.report.throttles.iter().filter(|(reason, _)| **reason != "key_range");
        let others = others.map(|(reason, n)| {
            let why = match *reason {
                "provisioned" => "the provisioned capacity of a table or index",
                "account_limit" => "the account's limit",
                "max_on_demand" => "the on-demand maximum that was set for a table or index",
                _ => "a reason that the log does not give",
            };
            format!("{} for {why}", grouped(*n))
        });
        let others: Vec<_> = others.collect();
        if !others.is_empty() {
            line(text, format_args!("\nThrottles not counted for any partition: {}.", others.join(", ")));
        }
    }
}

/// One line, between head and rows.
const PLAIN: TableStyle = presets::NOTHING.header_separator(LineStyle::none().fill('-').junction('-'));

/// Writes a table. The columns numbered in `right` are aligned to the right.
pub fn table(text: &mut String, head: &[&str], right: Range<usize>, rows: impl Iterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(PLAIN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head).add_rows(rows);
    for column in right {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for row in table.lines() {
        line(text, row.trim_end());
    }
}

fn full_table(hot: &PartitionReport) -> String {
    match &hot.index {
        Some(index) => format!("{}/index/{index}", hot.table),
        None => hot.table.clone(),
    }
}

fn place(hot: &PartitionReport) -> String {
    format!("{} / {}", shown(&full_table(hot)), shown(&hot.pk))
}

fn shown(text: &str) -> String {
    name(text, NAME)
}

/// Returns a name in at most `most` letters, which can't command a terminal.
pub fn name(text: &str, most: usize) -> String {
    shortened(&crate::report::text::readable(text.as_bytes(), true), most)
}

fn most(fullest: FullestReport) -> String {
    format!("{}{}", at_most(fullest), fullest.count)
}

/// Returns the sign before a count that may be too high.
fn at_most(fullest: FullestReport) -> &'static str {
    if fullest.at_least == fullest.count { "" } else { "≤ " }
}

/// Returns an amount of an operation in words: "3 writes", "2.5 read units".
fn amount(n: Amount, operation: &str) -> String {
    let units = if n.is_halves { " unit" } else { "" };
    format!("{n} {operation}{units}{}", many(n))
}

/// Breaks a sentence into lines of about `width` letters.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("one at least");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.into());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}
