//! Fleets that proptest makes up and shrinks.

use crate::told::Partition;
use hotpart::Operation::{Read, Write};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// The tables that traffic is on.
pub const TABLES: [&str; 2] = ["events", "orders"];
/// The table of floods. By name it comes before all others.
pub const FLOODED: &str = "a flood";
/// The most processes of a fleet.
const PROCESSES_MOST: usize = 12;

/// Everything about a fleet.
#[derive(Clone, Debug)]
pub struct Plan {
    pub window: u32,
    /// The second of the scrape.
    pub now: u32,
    pub processes: Vec<Settings>,
    pub traffic: Vec<Traffic>,
    /// The fleet's thresholds: for all tables, and perhaps for [`TABLES`]\[1\].
    pub thresholds: (u64, Option<u64>),
}

/// The settings of a process, and a flood of its own.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The process's own thresholds of writes and reads, and perhaps those of a table.
    pub thresholds: [u64; 2],
    pub of_table: Option<(&'static str, [u64; 2])>,
    pub filter: Option<Filter>,
    pub least: u64,
    /// Without a filter: a lower bound needs what is carried.
    pub demand_only: bool,
    /// Many partitions that are written some seconds before the scrape.
    pub flood: Option<Flood>,
}

#[derive(Clone, Debug)]
pub struct Filter {
    pub memory: u64,
    pub promote_permille: u32,
}

#[derive(Clone, Debug)]
pub struct Flood {
    pub partitions: u32,
    /// The amount of the first. Each other has one more than that before it.
    pub amount: u64,
    pub ago: u32,
}

/// The traffic of one partition in the whole fleet.
#[derive(Clone, Debug)]
pub struct Traffic {
    pub partition: Partition,
    /// Operations in all processes together, about.
    pub total: u64,
    /// The share of each process is its weight to this power: 0 for even shares.
    weights: Vec<u32>,
    power: u32,
    /// The seconds before the scrape at which it is recorded: a part at each.
    ago: Vec<u32>,
    /// Throttles in each process with a great weight.
    throttles: u32,
}

/// One thing that a process records.
#[derive(Clone, Debug)]
pub struct Event {
    pub second: u32,
    pub partition: Partition,
    pub amount: u64,
    pub throttles: u32,
}

impl Plan {
    /// The records of a process, in order.
    pub fn events(&self, process: usize) -> Vec<Event> {
        let second = |ago: u32| self.now.saturating_sub(ago);
        let mut events = Vec::new();
        for traffic in &self.traffic {
            let partition = &traffic.partition;
            let amount = traffic.amount(process, self.processes.len());
            let parts = traffic.ago.len() as u64;
            for (n, &ago) in traffic.ago.iter().enumerate() {
                let amount = amount / parts + if n == 0 { amount % parts } else { 0 };
                let event = Event { second: second(ago), partition: partition.clone(), amount, throttles: 0 };
                let throttles = if traffic.weights[process] >= 7 { traffic.throttles } else { 0 };
                events.push(Event { throttles, ..event });
            }
        }
        if let Some(flood) = &self.processes[process].flood {
            for n in 0..flood.partitions {
                let (table, pk) = (FLOODED.to_string(), n.to_string());
                let partition = Partition { operation: Write, table, pk };
                let (second, amount) = (second(flood.ago), flood.amount + u64::from(n));
                events.push(Event { second, partition, amount, throttles: 0 });
            }
        }
        events.sort_by_key(|event| event.second);
        events
    }
}

impl Traffic {
    /// Its operations in one process of so many.
    fn amount(&self, process: usize, processes: usize) -> u64 {
        let share = |weight: &u32| u64::from(*weight).pow(self.power);
        let all: u64 = self.weights[..processes].iter().map(share).sum();
        (self.total * share(&self.weights[process])).checked_div(all).unwrap_or(0)
    }
}

/// Numbers of any size up to a power of two: small ones as often as large ones.
fn sized(bits: u32) -> impl Strategy<Value = u64> {
    (0..=bits).prop_flat_map(|bits| 1..=1_u64 << bits)
}

/// Seconds before a scrape: most of them in the window.
fn ago(window: u32) -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0..=window, 1 => 0..=3 * window]
}

fn traffic(window: u32) -> impl Strategy<Value = Traffic> {
    let pks = ["a", "b", "c", "d", "e", "f", "g", "h", "i j", "\"k\",", "l}", "m\nn", "\u{f6}\u{20ac}"];
    let partition = (select(vec![Write, Write, Read]), select(TABLES.to_vec()), select(pks.to_vec()));
    let partition = partition.prop_map(|(operation, table, pk)| Partition {
        operation,
        table: table.into(),
        pk: pk.into(),
    });
    let weights = vec(0..10_u32, PROCESSES_MOST);
    let throttles = prop_oneof![3 => Just(0), 1 => 0..4_u32];
    (partition, sized(15), weights, 0..4_u32, vec(ago(window), 1..4), throttles).prop_map(
        |(partition, total, weights, power, ago, throttles)| Traffic {
            partition,
            total,
            weights,
            power,
            ago,
            throttles,
        },
    )
}

fn settings() -> impl Strategy<Value = Settings> {
    let thresholds = || [sized(14), sized(14)].prop_map(|pair| pair.map(|threshold| threshold + 3));
    let filter = (select(vec![1 << 16, 1 << 20]), 10..=500_u32)
        .prop_map(|(memory, promote_permille)| Filter { memory, promote_permille });
    let of_table = option::of((select(TABLES.to_vec()), thresholds()));
    (thresholds(), of_table, option::of(filter), sized(12), any::<bool>()).prop_map(
        |(thresholds, of_table, filter, least, demand_only)| Settings {
            thresholds,
            of_table,
            demand_only,
            filter,
            least,
            flood: None,
        },
    )
}

/// Fleets of 2 to 12 processes.
pub fn plans() -> impl Strategy<Value = Plan> {
    let kind = prop_oneof![
        3 => Just(Kind::Exact),
        3 => Just(Kind::Filtered),
        2 => Just(Kind::Cut),
        2 => Just(Kind::Full),
    ];
    (select(vec![1_u32, 10, 60]), kind).prop_flat_map(|(window, kind)| {
        let processes = vec(settings(), 2..=PROCESSES_MOST);
        // Where a walk meets more than some 2,000, it drops some on its way.
        let size = prop_oneof![3 => 1_000..1_100_u32, 1 => 2_100..2_200_u32];
        let flood = (size, sized(7), 0..=window);
        let thresholds = (sized(15), option::of(sized(15)));
        (0..=4 * window, processes, vec(traffic(window), 1..30), flood, thresholds).prop_map(
            move |(now, mut processes, traffic, (partitions, amount, ago), thresholds)| {
                kind.apply(&mut processes, Flood { partitions, amount, ago });
                Plan { window, now, processes, traffic, thresholds }
            },
        )
    })
}

/// The kinds of fleets, by what limits their lists.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// No process has a filter.
    Exact,
    /// Some have.
    Filtered,
    /// The list of one is full: it has no room for all that have its least.
    Cut,
    /// The filter of one is full.
    Full,
}

impl Kind {
    fn apply(self, processes: &mut [Settings], flood: Flood) {
        let first = &mut processes[0];
        match self {
            Self::Exact => processes.iter_mut().for_each(|settings| settings.filter = None),
            Self::Filtered => {}
            Self::Cut => {
                first.filter = None;
                first.least = first.least.min(flood.amount);
                first.flood = Some(flood);
            }
            Self::Full => {
                first.filter = Some(Filter { memory: 1 << 16, promote_permille: 10 });
                // More than any count from which one is counted exactly.
                first.flood = Some(Flood { amount: 200 + flood.amount, ..flood });
            }
        }
    }
}
