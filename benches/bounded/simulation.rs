//! One scenario, from its first second to its last.

use crate::contender::Contender;
use crate::design::promotion;
use crate::oracle::{Oracle, Series};
use crate::random::Random;
use crate::scenario::Scenario;
use crate::scores::Made;
use crate::traffic::Traffic;

/// Bounds are looked at with one in so many records, and a cold series with one in so many others.
const BOUNDS: usize = 101;
const COLD: usize = 211;
/// How often statistics are read.
const LOOKS: u32 = 8;

const SEEN: u8 = 1;
/// Has had a count from which a partition is counted exactly.
const DUE: u8 = 2;
const HOT: u8 = 4;

pub struct Simulation {
    pub contenders: Vec<Contender>,
    /// The most records in the window at once.
    pub most: usize,
    /// How many series were recorded, were due to be counted exactly, and were hot.
    pub seen: usize,
    pub due: usize,
    pub hot: usize,
    /// For each contender, how many series it warned about that never were hot.
    pub falsely_warned: Vec<usize>,
}

impl Simulation {
    pub fn run(scenario: &Scenario) -> Self {
        let Scenario { window, threshold, .. } = *scenario;
        let promotion = promotion(threshold);
        let mut traffic = Traffic::new(&scenario.source, window);
        let seconds = traffic.seconds();
        let mut oracle = Oracle::new(window, traffic.series());
        let mut marks = vec![0_u8; traffic.series()];
        let mut contenders: Vec<Contender> =
            scenario.designs.iter().map(|&design| Contender::new(scenario, design)).collect();
        let (mut records, mut random, mut n) = (Vec::new(), Random(7), 0);
        for second in 0..seconds {
            if second > 0 {
                oracle.turn();
            }
            contenders.iter().for_each(|contender| contender.set_second(second));
            traffic.second(second, &mut records);
            for &series in &records {
                n += 1;
                let truth = oracle.record(series);
                let mark = &mut marks[series as usize];
                *mark |= SEEN;
                if truth >= promotion {
                    *mark |= if truth >= threshold { HOT | DUE } else { DUE };
                }
                let made = Made { second, series, truth };
                traffic.name(series, |table, pk, operation| {
                    for contender in &mut contenders {
                        contender.record(made, (table, pk, operation));
                        if n % BOUNDS == 0 {
                            contender.check_bounds(truth, (table, pk, operation));
                        }
                    }
                });
                // Once the filter's cells are as full as they get.
                if n % COLD == 0 && second > window + window / 2 {
                    let series = random.below(oracle.len()) as Series;
                    let truth = oracle.count(series);
                    if truth < promotion {
                        for contender in contenders.iter_mut().filter(|one| one.design.is_filter()) {
                            contender.check_cold(truth, series, &traffic);
                        }
                    }
                }
            }
            if (second + 1) % seconds.div_ceil(LOOKS) == 0 || second + 1 == seconds {
                contenders.iter_mut().for_each(Contender::read_statistics);
            }
        }
        let marked = |mark: u8| marks.iter().filter(|own| **own & mark != 0).count();
        let never_hot = |series: &Series| marks[*series as usize] & HOT == 0;
        let falsely_warned =
            |contender: &Contender| contender.scores.warned.keys().filter(|series| never_hot(series)).count();
        Self {
            falsely_warned: contenders.iter().map(falsely_warned).collect(),
            most: oracle.most,
            seen: marked(SEEN),
            due: marked(DUE),
            hot: marked(HOT),
            contenders,
        }
    }
}
