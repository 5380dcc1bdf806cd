//! Zipf's law with exponent 1: rank k is drawn in proportion to 1 / k.

use crate::random::Random;

pub struct Zipf {
    ln_end: f64,
    ranks: usize,
}

impl Zipf {
    pub fn new(ranks: usize) -> Self {
        Self { ln_end: (ranks as f64 + 1.0).ln(), ranks }
    }

    /// A rank, from 0 on. Draws from the density 1 / x, which gives rank k the share ln(1 + 1 / k),
    /// and refuses the excess of it: the share that is due, 1 / k, is at most 1 / ln 2 times that,
    /// for the first rank.
    pub fn draw(&self, random: &mut Random) -> usize {
        loop {
            let k = (unit(random) * self.ln_end).exp().floor();
            let due = 1.0 / (k * (1.0 / k).ln_1p());
            if k <= self.ranks as f64 && unit(random) * std::f64::consts::LN_2.recip() < due {
                return k as usize - 1;
            }
        }
    }
}

/// Uniform in [0, 1).
fn unit(random: &mut Random) -> f64 {
    const STEPS: usize = 1 << 53;
    random.below(STEPS) as f64 / STEPS as f64
}
