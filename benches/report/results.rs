//! All that is measured, in the order in which it is.

use crate::Scale;
use crate::abi::Library;
use crate::bounded::Bounded;
use crate::counts::{COMMITTED, Counts};
use crate::growth::Growth;
use crate::lanes;
use crate::memory::Memory;
use crate::observe;
use crate::rounds::Rounds;
use crate::threads::Pair;
use crate::turns::Turns;
use crate::window;

/// Rounds, by the number that tells them apart.
pub type Series = Vec<(usize, Rounds)>;

pub struct Results {
    /// Single records beside the peers, by partitions.
    pub peers: Series,
    /// All the ways to record, by partitions.
    pub calls: Series,
    /// Records of which each turns its partition's second.
    pub turns: Turns,
    /// Cold keys in a filter.
    pub bounded: Bounded,
    /// Two threads: on [`Scale::few`] partitions, and on one.
    pub spread_out: Pair,
    pub contended: Pair,
    /// The library beside the list of timestamps, by operations in the window.
    pub window: Series,
    /// Observing a request, without and with capacity mode.
    pub observe: [Rounds; 2],
    pub memory: Memory,
    pub growth: Growth,
    /// Read, not measured.
    pub counts: Counts,
}

impl Results {
    pub fn measure(scale: &Scale) -> Self {
        let library = Library::load();
        Self {
            peers: series("records beside the peers: partitions", &scale.partitions, |partitions| {
                lanes::peers(scale, partitions)
            }),
            calls: series("Rust and C: partitions", &[1, scale.few, scale.many], |partitions| {
                lanes::calls(scale, partitions, &library)
            }),
            turns: progress("turns of a second: partitions", scale.many, |_| Turns::run(scale, &library)),
            bounded: progress("bounded counting: partitions", scale.many, |_| Bounded::run(scale, &library)),
            spread_out: progress("two threads: partitions", scale.few, |partitions| {
                Pair::run(scale, partitions, &library)
            }),
            contended: progress("two threads: partitions", 1, |partitions| {
                Pair::run(scale, partitions, &library)
            }),
            window: series("operations in the window", &window::OPERATIONS, |n| window::run(scale, n)),
            observe: [false, true].map(|capacity| {
                progress("observing: capacity mode", capacity.into(), |_| observe::run(scale, capacity))
            }),
            memory: progress("memory", scale.many, |_| Memory::run(scale.quick)),
            growth: progress("growth and reclaim", scale.most, |_| Growth::run(scale.quick)),
            counts: Counts::read(COMMITTED).expect("the committed counts"),
        }
    }
}

fn series(what: &str, over: &[usize], mut measure: impl FnMut(usize) -> Rounds) -> Series {
    over.iter().map(|&n| (n, progress(what, n, &mut measure))).collect()
}

/// Says on the way what is being measured.
fn progress<T>(what: &str, n: usize, measure: impl FnOnce(usize) -> T) -> T {
    eprintln!("{what}: {n}");
    measure(n)
}

/// The rounds for this number.
pub fn at(series: &Series, n: usize) -> &Rounds {
    series.iter().find_map(|(own, rounds)| (*own == n).then_some(rounds)).expect("was measured")
}
