//! The palette: shares in nine classes, and a colour for each, on light and on dark.
//!
//! The colours go from the background's lightness to the opposite one, through blue. So they keep
//! their order for every eye, and in black and white. The last class, the limit and more, is a red
//! that no other colour comes near. A test sees them as colour-blind readers do.

use serde::Serialize;

/// The least share of each class, in thousandths.
pub const FROM: [u32; 9] = [0, 10, 20, 50, 100, 250, 500, 800, 1_000];

/// The colours of one theme.
#[derive(Debug, Serialize)]
pub struct Palette {
    pub background: &'static str,
    pub text: &'static str,
    /// The colour of lines that are not to be noticed.
    pub faint: &'static str,
    pub classes: [&'static str; 9],
    /// The colours of the mark of a warning: its inside and its edge.
    pub mark: [&'static str; 2],
}

pub const LIGHT: Palette = Palette {
    background: "#ffffff",
    text: "#1d2430",
    faint: "#d4d9e0",
    classes: [
        "#f1f4d2", "#c9e8b4", "#8fd3b8", "#4db8c4", "#2b94c2", "#256bae", "#26438f", "#161a55", "#e4002b",
    ],
    mark: ["#ffb000", "#1d2430"],
};

pub const DARK: Palette = Palette {
    background: "#14171c",
    text: "#e4e8ee",
    faint: "#39414d",
    classes: [
        "#26356e", "#28549c", "#2878b4", "#2f9cc0", "#52bdbd", "#8fd6ae", "#cdeaa4", "#fdfccb", "#ff3b30",
    ],
    mark: ["#ffffff", "#14171c"],
};

/// Returns the class of a share.
pub fn class(permille: u32) -> usize {
    FROM.iter().rposition(|&from| from <= permille).unwrap_or(0)
}

/// Names a class: "25 to 50 %".
pub fn name(class: usize) -> String {
    let percent = |i: usize| FROM[i] / 10;
    match class {
        0 => format!("under {} %", percent(1)),
        8 => format!("{} % and more", percent(8)),
        _ => format!("{} to {} %", percent(class), percent(class + 1)),
    }
}

/// The name of cells of partitions that memory had no room to count, which have a line across.
pub const KEPT_OUT: &str = "at most so much: no room to count it";

/// Returns red, green and blue.
pub fn rgb(color: &str) -> [u8; 3] {
    [1, 3, 5].map(|at| u8::from_str_radix(color.get(at..at + 2).unwrap_or("00"), 16).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Matrix = [[f64; 3]; 3];

    /// How linear red, green and blue look: as they are, and without the cones for long, middle and
    /// short waves (Machado, Oliveira and Fernandes 2009, at full severity).
    const SEEN: [Matrix; 4] = [
        [[1., 0., 0.], [0., 1., 0.], [0., 0., 1.]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ];
    /// From linear red, green and blue to X, Y and Z, by the white of daylight.
    const XYZ: Matrix = [[0.4339, 0.3763, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8728]];

    fn times(matrix: &Matrix, vector: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| row.iter().zip(vector).map(|(m, v)| m * v).sum())
    }

    /// Lightness, and two axes of colour, in which distances are as the eye has them: CIELAB.
    fn lab(color: &str, seen: &Matrix) -> [f64; 3] {
        let linear = rgb(color).map(|byte| {
            let c = f64::from(byte) / 255.;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        let [x, y, z] = times(&XYZ, times(seen, linear).map(|c| c.clamp(0., 1.)))
            .map(|t| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16. / 116. });
        [116. * y - 16., 500. * (x - y), 200. * (y - z)]
    }

    fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn the_colour_blind_tell_classes_apart_and_see_the_limit_at_once() {
        for palette in [LIGHT, DARK] {
            for seen in &SEEN {
                let [background, classes @ ..]: [_; 9] = std::array::from_fn(|i| {
                    lab(if i == 0 { palette.background } else { palette.classes[i - 1] }, seen)
                });
                let over = lab(palette.classes[8], seen);
                let darkens = background[0] > 50.;
                for (class, pair) in classes.windows(2).enumerate() {
                    assert!(distance(pair[0], pair[1]) > 8., "classes {class} and the next look alike");
                    assert_eq!(
                        pair[0][0] > pair[1][0],
                        darkens,
                        "class {class} and the next are out of order"
                    );
                }
                let nearest = classes.iter().map(|class| distance(*class, over)).fold(f64::MAX, f64::min);
                assert!(nearest > 35., "the limit looks like another class: {nearest}");
                assert!(distance(background, classes[0]) > 5., "the first class looks like nothing");
            }
        }
    }

    #[test]
    fn every_share_has_a_class() {
        let shares = [0, 9, 10, 999, 1_000, u32::MAX];
        assert_eq!(shares.map(class), [0, 0, 1, 7, 8, 8]);
        assert_eq!([0, 1, 8].map(name), ["under 1 %", "1 to 2 %", "100 % and more"]);
    }
}
