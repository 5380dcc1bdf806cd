//! The picture: the hottest tables and operations one below another, as SVG or PNG, for reports.

use crate::heatmap::cell::Cell;
use crate::heatmap::label::percent;
use crate::heatmap::map::{Map, Panel, Row};
use crate::heatmap::palette::{self, LIGHT};
use crate::readable::counted;
use crate::time;
use anyhow::{Result, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;
use std::sync::Once;

/// DejaVu Sans with the letters of Latin, Greek and Cyrillic: made by `cli/heatmap-page/build.mjs`.
const FONT: &[u8] = include_bytes!("../../heatmap-page/dist/DejaVuSans.ttf");
/// The name of the font in the picture: a viewer of SVG takes its own.
const FAMILY: &str = "sans-serif";

const WIDTH: i32 = 1_280;
const MARGIN: i32 = 24;
/// The places where columns begin and end.
const LEFT: i32 = 250;
const RIGHT: i32 = WIDTH - 90;
const HEAD: i32 = 108;
const ROW: i32 = 15;
/// The places where the line across a cell that is an upper bound begins and ends.
const LINE: [i32; 2] = [5, 9];
/// The space above and below the rows of a panel.
const TITLE: i32 = 30;
const AXIS: i32 = 40;
const FOOT: i32 = 34;
/// The most panels and rows: more are only counted.
const PANELS: usize = 4;
const ROWS: usize = 60;

/// The format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Svg,
    Png,
}

/// Writes the file.
pub fn write(map: &Map, kind: Kind, path: &Path) -> Result<()> {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| _ = plotters::style::register_font(FAMILY, FontStyle::Normal, FONT));
    let shown = &map.panels[..map.panels.len().min(PANELS)];
    let height = shown.iter().map(|panel| TITLE + ROW * rows(panel).len() as i32 + AXIS).sum::<i32>();
    let size = (WIDTH as u32, (HEAD + height + FOOT) as u32);
    match kind {
        Kind::Svg => draw(map, shown, &SVGBackend::new(path, size).into_drawing_area()),
        Kind::Png => draw(map, shown, &BitMapBackend::new(path, size).into_drawing_area()),
    }
}

fn rows(panel: &Panel) -> &[Row] {
    &panel.rows[..panel.rows.len().min(ROWS)]
}

/// The canvas, and the map that is drawn on it.
struct Canvas<'a, B: DrawingBackend> {
    area: &'a DrawingArea<B, plotters::coord::Shift>,
    map: &'a Map,
}

fn draw<B: DrawingBackend>(
    map: &Map,
    shown: &[Panel],
    area: &DrawingArea<B, plotters::coord::Shift>,
) -> Result<()> {
    let canvas = Canvas { area, map };
    area.fill(&color(LIGHT.background)).map_err(|error| anyhow!("{error}"))?;
    canvas.head()?;
    let mut top = HEAD;
    for panel in shown {
        canvas.panel(panel, top)?;
        top += TITLE + ROW * rows(panel).len() as i32 + AXIS;
    }
    let hidden = map.panels.len() - shown.len();
    let mut foot = crate::heatmap::page::meaning(map) + " Triangles mark warnings.";
    if hidden > 0 {
        foot += &match hidden {
            1 => " 1 cooler table or operation is not drawn.".into(),
            _ => format!(" {hidden} cooler tables or operations are not drawn."),
        };
    }
    if map.strays > 0 {
        foot += &format!(" Not drawn: {} far away in time.", counted(map.strays, "record"));
    }
    if map.unknown.is_some() {
        foot += " Memory was limited: shares are upper limits.";
    }
    canvas.text(&foot, (MARGIN, top + 8), 12, HPos::Left)?;
    area.present().map_err(|error| anyhow!("{error}"))
}

impl<B: DrawingBackend> Canvas<'_, B> {
    fn head(&self) -> Result<()> {
        let Map { clock, span, width, .. } = self.map;
        self.text(&self.fit(&self.map.title, 20, WIDTH - 2 * MARGIN), (MARGIN, 28), 20, HPos::Left)?;
        let span = format!(
            "{} to {}, {}; a column is {}",
            clock.second(span.0 * 1_000),
            clock.second(span.1 * 1_000),
            clock.name(),
            time::span(u64::from(*width) * 1_000)
        );
        self.text(&span, (MARGIN, 52), 13, HPos::Left)?;
        let has_kept_out = self.map.has_kept_out();
        // What is no class has a longer name than those.
        let step = (WIDTH - 2 * MARGIN) / (LIGHT.classes.len() as i32 + if has_kept_out { 2 } else { 0 });
        for (class, fill) in LIGHT.classes.into_iter().enumerate() {
            let x = MARGIN + class as i32 * step;
            self.rectangle([(x, 70), (x + step - 3, 82)], fill)?;
            self.text(&palette::name(class), (x, 92), 11, HPos::Left)?;
        }
        if has_kept_out {
            let x = MARGIN + LIGHT.classes.len() as i32 * step;
            self.rectangle([(x, 70), (x + step - 3, 82)], LIGHT.classes[5])?;
            self.rectangle([(x, 74), (x + step - 3, 78)], LIGHT.background)?;
            self.text(palette::KEPT_OUT, (x, 92), 11, HPos::Left)?;
        }
        Ok(())
    }

    fn panel(&self, panel: &Panel, top: i32) -> Result<()> {
        let title = format!(
            "{}, {}: a share of {}",
            panel.table,
            panel.operation_name(),
            panel.whole(self.map.measure)
        );
        self.text(&self.fit(&title, 14, WIDTH - 2 * MARGIN), (MARGIN, top + 14), 14, HPos::Left)?;
        let top = top + TITLE;
        let rows = rows(panel);
        let bottom = top + ROW * rows.len() as i32;
        for (i, row) in rows.iter().enumerate() {
            let y = top + ROW * i as i32;
            let name = match row.band {
                Some(n) => format!("{} ({n})", row.name),
                None => row.name.clone(),
            };
            let name = self.fit(&name, 11, LEFT - MARGIN - 8);
            self.text(&name, (LEFT - 8, y + ROW / 2), 11, HPos::Right)?;
            let most = if row.total.kept_out { "≤ " } else { "" };
            self.text(
                &format!("{most}{}", percent(row.total.permille)),
                (RIGHT + 8, y + ROW / 2),
                11,
                HPos::Left,
            )?;
            self.row(row, y)?;
        }
        self.axis(top, bottom)
    }

    /// Draws cells side by side of one class as one.
    fn row(&self, row: &Row, y: i32) -> Result<()> {
        let cells = row.series.cells();
        let is_run = |a: &(u32, Cell), b: &(u32, Cell)| {
            let look = |cell: &Cell| (palette::class(cell.permille), cell.kept_out);
            a.0 + 1 == b.0 && look(&a.1) == look(&b.1)
        };
        for run in cells.chunk_by(is_run) {
            let ends = [(self.x(run[0].0), y), (self.x(run[run.len() - 1].0 + 1), y + ROW - 1)];
            self.rectangle(ends, LIGHT.classes[palette::class(run[0].1.permille)])?;
            if run[0].1.kept_out {
                let [(left, _), (right, _)] = ends;
                self.rectangle([(left, y + LINE[0]), (right, y + LINE[1])], LIGHT.background)?;
            }
        }
        for (column, _) in cells.iter().filter(|(_, cell)| cell.warnings > 0) {
            let x = (self.x(*column) + self.x(column + 1)) / 2;
            let triangle =
                |size: i32| vec![(x, y + 7 - size), (x + size, y + 7 + size), (x - size, y + 7 + size)];
            self.draw(&Polygon::new(triangle(5), color(LIGHT.mark[1]).filled()))?;
            self.draw(&Polygon::new(triangle(3), color(LIGHT.mark[0]).filled()))?;
        }
        Ok(())
    }

    fn axis(&self, top: i32, bottom: i32) -> Result<()> {
        let faint = color(LIGHT.faint);
        self.draw(&Rectangle::new([(LEFT - 1, top - 1), (RIGHT, bottom)], faint))?;
        let Map { from, width, columns, clock, .. } = self.map;
        let seconds = u64::from(*columns) * u64::from(*width);
        let step = step(seconds / 9);
        let first = (from - clock.origin().min(*from)).next_multiple_of(step) + clock.origin();
        for second in (first..from + seconds).step_by(step as usize) {
            let x = LEFT + ((second - from) as f64 / seconds as f64 * f64::from(RIGHT - LEFT)) as i32;
            self.draw(&PathElement::new([(x, bottom), (x, bottom + 4)], faint))?;
            self.text(&clock.time(second * 1_000), (x, bottom + 14), 11, HPos::Center)?;
        }
        Ok(())
    }

    fn x(&self, column: u32) -> i32 {
        LEFT + (f64::from(column) / f64::from(self.map.columns) * f64::from(RIGHT - LEFT)) as i32
    }

    /// Cuts a text that is too wide.
    fn fit(&self, text: &str, size: i32, width: i32) -> String {
        let style = (FAMILY, size).into_text_style(self.area);
        let is_fit = |text: &str| {
            self.area.estimate_text_size(text, &style).is_ok_and(|(wide, _)| wide as i32 <= width)
        };
        let mut fit = text.to_string();
        while !is_fit(&fit) && fit.chars().count() > 2 {
            fit.truncate(fit.trim_end_matches('…').char_indices().next_back().map_or(0, |(at, _)| at));
            fit.push('…');
        }
        fit
    }

    fn text(&self, text: &str, at: (i32, i32), size: i32, side: HPos) -> Result<()> {
        let style = (FAMILY, size).into_text_style(self.area);
        let ink = color(LIGHT.text);
        let style = style.color(&ink).pos(Pos::new(side, VPos::Center));
        self.area.draw_text(text, &style, at).map_err(|error| anyhow!("{error}"))
    }

    fn rectangle(&self, ends: [(i32, i32); 2], fill: &str) -> Result<()> {
        self.draw(&Rectangle::new(ends, color(fill).filled()))
    }

    fn draw<E>(&self, element: &E) -> Result<()>
    where
        for<'b> &'b E: plotters::element::PointCollection<'b, (i32, i32)>,
        E: plotters::element::Drawable<B>,
    {
        self.area.draw(element).map_err(|error| anyhow!("{error}"))
    }
}

fn color(text: &str) -> RGBColor {
    let [red, green, blue] = palette::rgb(text);
    RGBColor(red, green, blue)
}

/// Returns the seconds between two marks of an axis: the least usual number that is at least
/// `least`.
fn step(least: u64) -> u64 {
    const STEPS: [u64; 16] =
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200];
    STEPS.into_iter().find(|&step| step >= least).unwrap_or_else(|| least.next_multiple_of(86_400))
}
