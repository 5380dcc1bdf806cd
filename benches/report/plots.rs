//! Costs as lines over a logarithmic axis, as SVG.

use crate::markdown::grouped;
use plotters::prelude::*;
use std::io;

const SIZE: (u32, u32) = (760, 440);
const COLORS: [RGBColor; 4] =
    [RGBColor(200, 60, 40), RGBColor(40, 100, 180), RGBColor(60, 150, 80), RGBColor(130, 90, 160)];

/// A contender's points.
pub type Line = (&'static str, Vec<(f64, f64)>);

pub struct Plot {
    /// The file that it goes to.
    pub file: &'static str,
    pub title: &'static str,
    pub x: &'static str,
    pub lines: Vec<Line>,
}

impl Plot {
    /// Nanoseconds for a record, both axes logarithmic.
    pub fn svg(&self) -> String {
        let mut svg = String::new();
        self.draw(SVGBackend::with_string(&mut svg, SIZE)).expect("a drawing in memory");
        svg
    }

    fn draw(&self, backend: SVGBackend<'_>) -> Result<(), DrawingAreaErrorKind<io::Error>> {
        let area = backend.into_drawing_area();
        area.fill(&WHITE)?;
        let points = || self.lines.iter().flat_map(|(_, points)| points);
        let (left, right) = range(points().map(|point| point.0));
        let (low, high) = range(points().map(|point| point.1));
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 18))
            .margin(14)
            .margin_right(40)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .build_cartesian_2d((left..right).log_scale(), (low / 2.0..high * 2.0).log_scale())?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc("ns for a record")
            .x_label_formatter(&|x| grouped(*x as i64))
            .y_label_formatter(&|y| grouped(*y as i64))
            .draw()?;
        for ((name, points), color) in self.lines.iter().zip(COLORS) {
            let style = color.stroke_width(2);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), style).point_size(3))?
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE)
            .border_style(BLACK)
            .draw()?;
        area.present()
    }
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(low, high), value| (value.min(low), value.max(high)))
}
