//! The page: one HTML file with all that it needs, and no address from which it could ask for more.
//!
//! A log's texts come into it in two places: as text in the tables, where every character that has
//! a meaning in HTML is escaped, and as JSON, in which no `<` is left. Its policy lets no script
//! run but the two of [`heatmap-page`](../../heatmap-page), by their hashes.

use crate::feed::Measure;
use crate::heatmap::grid::NARROWEST;
use crate::heatmap::label::{amount, percent};
use crate::heatmap::map::{Map, Panel, Row};
use crate::heatmap::palette;
use crate::heatmap::reading::LITTLE;
use crate::readable::counted;
use crate::time::span;
use serde::Serialize;
use std::fmt::Write;

const CHARTS: &str = include_str!("../../heatmap-page/dist/charts.js");
const PAGE: &str = include_str!("../../heatmap-page/dist/page.js");
const STYLE: &str = include_str!("../../heatmap-page/dist/page.css");
/// SHA-256 of both scripts, as a content security policy has them.
const HASHES: &str = include_str!("../../heatmap-page/dist/hashes.txt");

/// The document that the page's script reads.
#[derive(Serialize)]
struct Data<'a> {
    /// The second in which the first column begins.
    from: u64,
    origin: u64,
    clock: &'static str,
    width: u32,
    columns: u32,
    /// The number by which amounts are to be divided.
    halves: u32,
    unit: &'static str,
    classes: [u32; 9],
    class_names: Vec<String>,
    /// The name of cells that have a line across, if there are any.
    kept_out: Option<&'static str>,
    light: palette::Palette,
    dark: palette::Palette,
    panels: Vec<PanelData<'a>>,
}

#[derive(Serialize)]
struct PanelData<'a> {
    table: &'a str,
    operation: &'static str,
    whole: String,
    rows: Vec<RowData<'a>>,
}

#[derive(Serialize)]
struct RowData<'a> {
    name: &'a str,
    /// The number of partitions in the band; 0 for one partition, by its name.
    band: u64,
    permille: u32,
    /// For each cell: columns since the one before, count, fullest second, share in thousandths,
    /// warnings, throttles, partitions.
    cells: Vec<u64>,
    warnings: Vec<(u64, String)>,
    /// The columns in which memory had no room to count it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kept_out: Vec<u32>,
}

/// Returns the page.
pub fn page(map: &Map, remarks: &[String]) -> String {
    let title = escape(&map.title);
    let mut tables = String::new();
    map.panels.iter().enumerate().for_each(|(i, panel)| table(&mut tables, map, i, panel));
    let remarks: String = remarks.iter().fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "<p>{}</p>", escape(line));
        all
    });
    let of = format!(
        "{} to {}, {}; a column is {}",
        map.clock.second(map.span.0 * 1_000),
        map.clock.second(map.span.1 * 1_000),
        map.clock.name(),
        span(u64::from(map.width) * 1_000)
    );
    let hashes = HASHES.trim();
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="hotpart {version}">
<title>{title}: heat map</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p id="span">{of}</p>
<div id="controls" hidden>
<div><label for="table">Table</label> <select id="table"></select></div>
<fieldset id="operations"><legend>Operation</legend></fieldset>
<div class="zoom" role="group" aria-label="Zoom"><button id="closer" type="button" title="Closer: +">+</button><button id="farther" type="button" title="Farther: −">−</button><button id="whole" type="button" title="All of it: Escape">All</button></div>
<div><label for="theme">Colours</label> <select id="theme"><option value="system">as the system's</option><option value="light">light</option><option value="dark">dark</option></select></div>
</div>
</header>
<main>
<div id="legend" aria-hidden="true"></div>
<p id="help" class="hint" hidden>Zoom with the wheel or + and −; drag to move. Click a row (or press Enter) for its graph over time; the arrow keys go from cell to cell.</p>
<div id="map" tabindex="0" role="application" aria-roledescription="heat map" aria-label="Heat map: time across, partitions down" aria-describedby="help" hidden></div>
<p id="told" class="hint" role="status" aria-live="polite"></p>
<section id="one" aria-labelledby="one-name" hidden><h2 id="one-name"></h2><div id="line" role="img" aria-labelledby="one-name"></div><div id="one-more"></div></section>
<details id="tables" open><summary>All rows as a table</summary>
{tables}</details>
</main>
<footer>
{remarks}{bounded}<p>{meaning}</p>
</footer>
<noscript><p>The picture needs JavaScript; the tables don't.</p></noscript>
<script type="application/json" id="data">{data}</script>
<script>{CHARTS}</script>
<script>{PAGE}</script>
</body>
</html>
"#,
        version = env!("CARGO_PKG_VERSION"),
        bounded = bounded(map),
        meaning = meaning(map),
        data = data(map),
    )
}

/// Says how far numbers can be trusted, where memory was bounded.
fn bounded(map: &Map) -> String {
    let Some(unknown) = map.unknown else { return String::new() };
    let [writes, reads] = unknown.map(|n| amount(n, map.measure));
    format!(
        "<p>Memory was limited (--memory), so counts are upper limits, except that up to {writes} writes and {reads} reads may be missing \
         from a count for each {NARROWEST} seconds in which a partition had no counter of its own. The fullest seconds and the shares \
         include these. The coldest partitions of a column are not drawn. {LITTLE}</p>\n"
    )
}

/// Says what the colours and the numbers are.
pub fn meaning(map: &Map) -> String {
    let of_threshold = map.panels.iter().any(|panel| panel.threshold.is_some());
    let hot = if of_threshold { "fullest window" } else { "fullest second" };
    let counted = match map.measure {
        Measure::Operations => "Numbers are operations.",
        Measure::HalfUnits => {
            "Numbers are capacity units; where the log does not give them, each operation counts as one."
        }
    };
    format!("A cell is as hot as its {hot}; a row of others is as hot as its hottest partition. {counted}")
}

fn data(map: &Map) -> String {
    let halves = if map.measure == Measure::HalfUnits { 2 } else { 1 };
    let panels = map.panels.iter().map(|panel| PanelData {
        table: &panel.table,
        operation: panel.operation_name(),
        whole: panel.whole(map.measure),
        rows: panel.rows.iter().map(|row| row_data(row, map.measure)).collect(),
    });
    let data = Data {
        from: map.from,
        origin: map.clock.origin(),
        clock: map.clock.name(),
        width: map.width,
        columns: map.columns,
        halves,
        unit: unit(map.measure),
        classes: palette::FROM,
        class_names: (0..palette::FROM.len()).map(palette::name).collect(),
        kept_out: map.has_kept_out().then_some(palette::KEPT_OUT),
        light: palette::LIGHT,
        dark: palette::DARK,
        panels: panels.collect(),
    };
    // A `<` is in texts alone, where JSON lets it be written so.
    serde_json::to_string(&data).expect("numbers and texts").replace('<', "\\u003c")
}

fn row_data(row: &Row, measure: Measure) -> RowData<'_> {
    let mut before = 0;
    let cells = row.series.cells().iter().flat_map(|(column, cell)| {
        let gap = column - std::mem::replace(&mut before, *column);
        let rest = [cell.permille, cell.warnings, cell.throttles, cell.partitions].map(u64::from);
        [u64::from(gap), cell.count, cell.peak].into_iter().chain(rest)
    });
    let kept_out = row.series.cells().iter().filter(|(_, cell)| cell.kept_out);
    RowData {
        name: &row.name,
        band: row.band.unwrap_or(0),
        permille: row.total.permille,
        cells: cells.collect(),
        kept_out: kept_out.map(|(column, _)| *column).collect(),
        warnings: row.warnings.iter().map(|warned| (warned.time_ms, warned.text(measure))).collect(),
    }
}

/// Writes a table of a panel's rows.
fn table(html: &mut String, map: &Map, i: usize, panel: &Panel) {
    let unit = unit(map.measure);
    let _ = write!(
        html,
        "<div class=\"scroll\" id=\"panel-{i}\"><table>\n<caption><bdi>{}</bdi>, {}: {}{}; shares are of {}</caption>\n<thead><tr>\
         <th scope=\"col\">Partition</th><th scope=\"col\">Count, {unit}</th><th scope=\"col\">Fullest second</th>\
         <th scope=\"col\">Share</th><th scope=\"col\">Hottest at</th><th scope=\"col\">Warnings</th>\
         <th scope=\"col\">Throttles</th></tr></thead>\n<tbody>\n",
        escape(&panel.table),
        panel.operation_name(),
        if panel.is_at_least { "at least " } else { "" },
        counted(panel.partitions, "partition"),
        escape(&panel.whole(map.measure)),
    );
    for row in &panel.rows {
        let most = if row.total.kept_out { "≤ " } else { "" };
        let at = row.series.hottest().map_or_else(String::new, |at| map.clock.second(map.second(at) * 1_000));
        let band = row.band.map_or_else(String::new, |n| format!(" ({})", counted(n, "partition")));
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\"><bdi>{}</bdi>{band}</th><td>{most}{}</td><td>{most}{}</td><td>{most}{}</td><td>{at}</td><td>{}</td><td>{}</td></tr>",
            escape(&row.name),
            amount(row.total.count, map.measure),
            amount(row.total.peak, map.measure),
            percent(row.total.permille),
            row.total.warnings,
            row.total.throttles,
        );
    }
    html.push_str("</tbody></table></div>\n");
}

/// Returns the unit of amounts.
pub fn unit(measure: Measure) -> &'static str {
    if measure == Measure::HalfUnits { "units" } else { "operations" }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_markup() {
        assert_eq!(escape("</script>&\"'é"), "&lt;/script&gt;&amp;&quot;&#39;é");
    }
}
