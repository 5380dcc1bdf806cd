//! Measured numbers as text.

use crate::markdown::grouped;
use crate::rounds::Spread;

/// Nanoseconds, with as many digits as mean something.
pub fn ns(value: f64) -> String {
    if value < 99.95 { format!("{value:.1}") } else { grouped(value.round() as i64) }
}

/// `1.12 (1.05 to 1.30)`.
pub fn ratio(spread: Spread) -> String {
    let Spread { median, min, max } = spread;
    if median < 99.995 {
        format!("{median:.2} ({min:.2} to {max:.2})")
    } else {
        format!("{} ({} to {})", grouped(median as i64), grouped(min as i64), grouped(max as i64))
    }
}

/// `31.2 (30.1 to 35.0)`.
pub fn cost(spread: Spread) -> String {
    format!("{} ({} to {})", ns(spread.median), ns(spread.min), ns(spread.max))
}
