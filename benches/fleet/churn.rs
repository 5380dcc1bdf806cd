//! How many partitions one process names in an hour of scrapes: each is a series that Prometheus
//! keeps.

use crate::Scale;
use crate::list::List;
use crate::markdown::table;
use crate::random::Random;
use hotpart::Operation::Write;
use hotpart::{Detector, Metrics};
use std::collections::HashSet;

const LEAST: u64 = 300;
/// Seconds between two scrapes.
const SCRAPE: u64 = 15;
/// Partitions that are warm for ten minutes, and then others; what each has in a window.
const WARM: u64 = 40;
const WARM_WINDOW: u64 = 600;

pub fn run(scale: &Scale, faults: &mut Vec<String>) {
    let traffics = [("a uniform flood", 0), ("with 40 warm partitions, others every ten minutes", WARM)];
    let rows = traffics.map(|(name, warm)| {
        let named = named(scale, warm);
        // Each of those that were warm, and no other.
        let most = warm * scale.minutes.div_ceil(10);
        if named[1] as u64 > most {
            faults.push(format!("{name}: {} series of at least {LEAST}, for {most} that had it", named[1]));
        }
        vec![name.to_string(), named[0].to_string(), named[1].to_string()]
    });
    println!(
        "Partitions that one process names in {} minutes, at a scrape each {SCRAPE} s.\n",
        scale.minutes
    );
    println!("{}", table(&["traffic", "top 100", "at least 300"], &rows, true));
}

/// Returns how many partitions are named: by the hundred hottest, and by what they have.
fn named(scale: &Scale, warm: u64) -> [usize; 2] {
    let never = i64::MAX as u64;
    let detector = Detector::builder(never, never, 60).manual_clock().hash_seed([9, 9]).build().unwrap();
    let metrics =
        [Metrics::default().hottest(100), Metrics::default().least(LEAST)].map(Metrics::demand_only);
    let mut named: [HashSet<String>; 2] = Default::default();
    let mut random = Random(15);
    let rate = scale.operations / 60;
    for second in 0..scale.minutes * 60 {
        detector.set_time_ms(second * 1_000).unwrap();
        for n in 0..rate {
            let pk = match n {
                n if n < warm * WARM_WINDOW / 60 => format!("warm-{}-{}", second / 600, n % warm),
                _ => random.below(scale.partitions as usize).to_string(),
            };
            detector.record_write("orders", pk).unwrap();
        }
        if second % SCRAPE == SCRAPE - 1 {
            for (metrics, named) in metrics.iter().zip(&mut named) {
                named.extend(List::of(&detector, Write, metrics).demands.into_keys());
            }
        }
    }
    named.map(|named| named.len())
}
