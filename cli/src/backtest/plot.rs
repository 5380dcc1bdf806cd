//! The sweep as a picture: a bar of warnings for each threshold and, below it, how many partitions
//! were caught, missed and in vain.

use crate::backtest::sweep::{Recommendation, Row};
use crate::input::account::grouped;
use anyhow::{Context, Result};
use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor};
use std::path::Path;

/// Colours that colour-blind readers tell apart, on white and on black.
const BAR: RGBColor = RGBColor(0x56, 0xB4, 0xE9);
const RECOMMENDED: RGBColor = RGBColor(0xE6, 0x9F, 0x00);
const MISSED: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
const TEXT: RGBColor = RGBColor(0x33, 0x33, 0x33);
const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);

const LEFT: i32 = 220;
const BARS: i32 = 420;
const WIDTH: u32 = 900;
const ROW: i32 = 28;
const TOP: i32 = 64;

/// Writes the picture into a file.
pub fn write(path: &Path, rows: &[Row], recommended: &Recommendation) -> Result<()> {
    let mut svg = String::new();
    draw(&mut svg, rows, recommended).context("the picture can't be drawn")?;
    std::fs::write(path, svg).with_context(|| path.display().to_string())
}

fn draw(svg: &mut String, rows: &[Row], recommended: &Recommendation) -> Result<()> {
    let height = TOP + ROW * rows.len() as i32 + 24;
    let most = rows.iter().map(|row| row.warnings).max().unwrap_or(0).max(1);
    let mut backend = SVGBackend::with_string(svg, (WIDTH, height as u32));
    backend.draw_rect((0, 0), (WIDTH as i32, height), &PAPER.to_backend_color(), true)?;
    let text =
        |backend: &mut SVGBackend<'_>, text: &str, x: i32, y: i32, at: HPos, size: f64, colour: RGBColor| {
            let style = ("sans-serif", size).into_font().color(&colour);
            backend.draw_text(text, &style.pos(Pos::new(at, VPos::Center)), (x, y))
        };
    text(&mut backend, "Warnings by threshold", LEFT, 24, HPos::Left, 20.0, TEXT)?;
    for (i, row) in rows.iter().enumerate() {
        let middle = TOP + ROW * i as i32 + ROW / 2;
        let is_recommended = recommended.row == Some(i);
        text(&mut backend, &row.label(), LEFT - 10, middle, HPos::Right, 15.0, TEXT)?;
        let length = (row.warnings as f64 / most as f64 * f64::from(BARS)).round() as i32;
        let colour = if is_recommended { RECOMMENDED } else { BAR };
        backend.draw_rect(
            (LEFT, middle - 9),
            (LEFT + length.max(1), middle + 9),
            &colour.to_backend_color(),
            true,
        )?;
        let mut told = grouped(row.warnings);
        if row.verdict.caught > 0 {
            told += &format!(", {} caught", grouped(row.verdict.caught));
        }
        if is_recommended {
            told += ", recommended";
        }
        text(&mut backend, &told, LEFT + length + 8, middle, HPos::Left, 15.0, TEXT)?;
        if row.verdict.missed > 0 {
            let missed = format!("{} missed", grouped(row.verdict.missed));
            text(&mut backend, &missed, WIDTH as i32 - 10, middle, HPos::Right, 15.0, MISSED)?;
        }
    }
    backend.present()?;
    Ok(())
}
