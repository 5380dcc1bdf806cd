//! Traffic: which series are recorded in which second, and what their keys are.

use crate::keys::{TABLE, pk};
use crate::oracle::Series;
use crate::planted::{Growing, Planted};
use crate::random::Random;
use crate::trace::Trace;
use crate::zipf::Zipf;
use hotpart::Operation;

/// How traffic is spread over many partitions.
#[derive(Clone, Copy)]
pub enum Spread {
    Uniform,
    Zipf,
}

/// Traffic to make up, of writes only.
#[derive(Clone)]
pub struct Plan {
    pub spread: Spread,
    pub partitions: usize,
    /// Records a second, beside those of planted partitions.
    pub rate: usize,
    pub seconds: u32,
    pub planted: Vec<Planted>,
}

/// Where traffic comes from.
#[derive(Clone)]
pub enum Source {
    Made(Plan),
    Read(std::rc::Rc<Trace>),
}

pub enum Traffic<'s> {
    Made { plan: &'s Plan, zipf: Zipf, growing: Vec<Growing>, random: Random },
    Read(&'s Trace),
}

impl<'s> Traffic<'s> {
    pub fn new(source: &'s Source, window: u32) -> Self {
        match source {
            Source::Read(trace) => Self::Read(trace),
            Source::Made(plan) => {
                // Planted ones come after all others.
                let mut first = plan.partitions;
                let growing = plan.planted.iter().map(|&planted| {
                    let growing = Growing::new(planted, first, window, plan.seconds);
                    first += planted.partitions;
                    growing
                });
                let growing = growing.collect();
                Self::Made { plan, zipf: Zipf::new(plan.partitions), growing, random: Random(42) }
            }
        }
    }

    pub fn seconds(&self) -> u32 {
        match self {
            Self::Made { plan, .. } => plan.seconds,
            Self::Read(trace) => trace.seconds.len() as u32,
        }
    }

    /// How many series there are.
    pub fn series(&self) -> usize {
        match self {
            Self::Read(trace) => 2 * trace.partitions.len(),
            Self::Made { plan, .. } => {
                let planted: usize = plan.planted.iter().map(|planted| planted.partitions).sum();
                2 * (plan.partitions + planted)
            }
        }
    }

    /// The records of a second, in their order.
    pub fn second(&mut self, second: u32, records: &mut Vec<Series>) {
        records.clear();
        match self {
            Self::Read(trace) => records.extend(&trace.seconds[second as usize]),
            Self::Made { plan, zipf, growing, random } => {
                records.extend((0..plan.rate).map(|_| {
                    let partition = match plan.spread {
                        Spread::Uniform => random.below(plan.partitions),
                        Spread::Zipf => zipf.draw(random),
                    };
                    2 * partition as Series
                }));
                growing.iter().for_each(|growing| growing.add(second, records));
                (1..records.len()).rev().for_each(|last| records.swap(last, random.below(last + 1)));
            }
        }
    }

    /// Calls `with` with the table, the key and the operation of a series.
    pub fn name<T>(&self, series: Series, with: impl FnOnce(&[u8], &[u8], Operation) -> T) -> T {
        let operation = Operation::ALL[series as usize % 2];
        let partition = series as usize / 2;
        match self {
            Self::Made { .. } => with(TABLE, &pk(partition), operation),
            Self::Read(trace) => {
                let (table, pk) = &trace.partitions[partition];
                with(table.as_bytes(), pk.as_bytes(), operation)
            }
        }
    }
}
