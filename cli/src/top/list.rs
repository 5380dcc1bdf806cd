//! The list: which partitions are shown, in which order, and as which texts.

use crate::readable::shown;
use crate::top::args::Sort;
use crate::top::fleet::{Fleet, Row};
use std::cmp::Ordering;

pub const HEADINGS: [&str; 8] =
    ["table", "pk", "operation", "sum", "at most", "of limit", "throttles", "listed by"];

/// The choice of partitions that are shown.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    pub sort: Sort,
    /// A text that the table or the key must have.
    pub filter: String,
    /// The operation; `None` for both.
    pub operation: Option<&'static str>,
}

impl Choice {
    /// Returns the partitions that are shown, sorted.
    pub fn of<'a>(&self, fleet: &'a Fleet) -> Vec<&'a Row> {
        let has = |text: &str| text.to_lowercase().contains(&self.filter.to_lowercase());
        let is_shown = |row: &&Row| {
            (has(&row.name.table) || has(&row.name.pk))
                && self.operation.is_none_or(|operation| row.name.operation == operation)
        };
        let mut rows: Vec<_> = fleet.partitions.iter().filter(is_shown).collect();
        let more = |a: f64, b: f64| b.total_cmp(&a);
        rows.sort_by(|a, b| {
            let by = match self.sort {
                Sort::Sum => more(a.demand.sum, b.demand.sum),
                Sort::Most => more(a.demand.most, b.demand.most),
                Sort::Throttles => more(a.demand.throttles, b.demand.throttles),
                Sort::Name => Ordering::Equal,
            };
            by.then_with(|| a.name.cmp(&b.name))
        });
        rows
    }
}

/// Returns a row's texts, under [`HEADINGS`].
pub fn cells(row: &Row) -> [String; HEADINGS.len()] {
    let demand = &row.demand;
    [
        shown(row.name.table.as_bytes()),
        shown(row.name.pk.as_bytes()),
        shown(row.name.operation.as_bytes()),
        amount(demand.sum),
        amount(demand.most),
        format!("{:.0} %", demand.share_of_limit * 100.0),
        amount(demand.throttles),
        if demand.processes == 0 { "-".into() } else { demand.processes.to_string() },
    ]
}

/// Returns one line about the whole fleet.
pub fn headline(fleet: &Fleet) -> String {
    let mut line = counted(fleet.processes as usize, "process", "processes");
    if !fleet.failed.is_empty() {
        line += &format!(", {} failed", counted(fleet.failed.len(), "address", "addresses"));
    }
    if fleet.unread > 0 {
        line += &format!(", {} could not be read", counted(fleet.unread as usize, "line", "lines"));
    }
    line += &format!("; last {} seconds", fleet.window_seconds);
    let unlisted: Vec<_> = fleet
        .unlisted_most
        .iter()
        .map(|(operation, most)| format!("{} {}s", amount(*most), shown(operation.as_bytes())))
        .collect();
    if unlisted.is_empty() {
        line + "; what a partition that no process lists has is not known"
    } else {
        line + &format!("; a partition that no process lists has at most {}", unlisted.join(" and "))
    }
}

/// Returns a line on a fleet that may have hot partitions which no process lists, and what to do.
pub fn blindness(fleet: &Fleet) -> Option<&'static str> {
    if !fleet.is_blind() {
        return None;
    }
    Some(if fleet.is_untold() {
        "blind: a process does not report what it leaves out, as with max_partitions; take bounded memory"
    } else {
        "blind: a partition that no process lists may be hot; lower `least` in the processes"
    })
}

/// Returns a number with the noun that fits it.
pub fn counted(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {many}", crate::input::account::grouped(n as u64)) }
}

fn amount(n: f64) -> String {
    let whole = crate::input::account::grouped(n.max(0.0) as u64);
    if n.fract() == 0.0 { whole } else { format!("{whole}.5") }
}
