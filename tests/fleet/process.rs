//! A process of a fleet that was made up: its detector, and an exact account of what it recorded.

use crate::common::manual;
use crate::made_up::{Plan, Settings};
use crate::told::{Partition, Told};
use hotpart::{Detector, Metrics, Reason, Record, Thresholds};
use std::collections::BTreeMap;

pub struct Process {
    detector: Detector,
    settings: Settings,
    window: u32,
    now: u32,
    /// By partition, the demand that was added at each second.
    recorded: BTreeMap<Partition, Vec<(u32, u64)>>,
}

impl Process {
    /// Runs one of a plan to the second of its scrape. Where the plan has a partition that
    /// `renamed` has too, it records what `renamed` gives in its place.
    pub fn run(plan: &Plan, number: usize, renamed: Option<(&Partition, &Partition)>) -> Self {
        let settings = plan.processes[number].clone();
        let [writes, reads] = settings.thresholds;
        let mut builder = manual(writes, reads, plan.window);
        if let Some(filter) = &settings.filter {
            builder = builder.memory(filter.memory).promote_permille(filter.promote_permille);
        }
        let detector = builder.build().unwrap();
        if let Some((table, [writes, reads])) = settings.of_table {
            let thresholds = Thresholds { writes: Some(writes), reads: Some(reads) };
            detector.set_table_thresholds(table, thresholds).unwrap();
        }
        let recorded = BTreeMap::new();
        let mut process = Self { detector, settings, window: plan.window, now: 0, recorded };
        for event in plan.events(number) {
            process.move_to(event.second);
            let partition = match renamed {
                Some((from, to)) if *from == event.partition => to,
                _ => &event.partition,
            };
            process.record(partition, event.amount);
            process.throttle(partition, event.throttles);
        }
        process.move_to(plan.now);
        process
    }

    fn move_to(&mut self, second: u32) {
        self.now = second;
        self.detector.set_time_ms(u64::from(second) * 1_000).unwrap();
    }

    /// Records some operations: a few one by one, many as one amount.
    pub fn record(&mut self, partition: &Partition, amount: u64) {
        let record = Record::new(&partition.table, &partition.pk, partition.operation);
        let (times, each) = if amount < 9 { (amount, 1) } else { (1, amount) };
        for _ in 0..times {
            self.detector.record(&record.amount(each)).unwrap();
        }
        self.account(partition, amount);
    }

    fn throttle(&mut self, partition: &Partition, times: u32) {
        let Partition { operation, table, pk } = partition;
        for _ in 0..times {
            self.detector.record_throttle(table, pk, *operation, Reason::KeyRange).unwrap();
        }
        self.account(partition, times.into());
    }

    fn account(&mut self, partition: &Partition, demand: u64) {
        if demand > 0 {
            self.recorded.entry(partition.clone()).or_default().push((self.now, demand));
        }
    }

    /// The exact demand of each partition in the window, by whole seconds: what the fleet's sums
    /// are about.
    pub fn truth(&self) -> BTreeMap<Partition, u64> {
        let demand = |added: &Vec<(u32, u64)>| {
            let is_in = |&&(second, _): &&(u32, u64)| second + self.window >= self.now;
            added.iter().filter(is_in).map(|(_, demand)| demand).sum::<u64>()
        };
        let truths = self.recorded.iter().map(|(partition, added)| (partition.clone(), demand(added)));
        truths.filter(|&(_, demand)| demand > 0).collect()
    }

    /// The demand from which it lists a partition: with a filter over each count from which one is
    /// counted exactly.
    pub fn least(&self) -> u64 {
        let Some(filter) = &self.settings.filter else { return self.settings.least };
        let of_table = self.settings.of_table.map_or([0, 0], |(_, thresholds)| thresholds);
        let greatest = self.settings.thresholds.into_iter().chain(of_table).max().unwrap();
        let level = (greatest * u64::from(filter.promote_permille) / 1_000).clamp(1, 32_768);
        self.settings.least.max(level + 1)
    }

    /// Its answer to a scrape.
    pub fn told(&self) -> Told {
        let metrics = Metrics::default().least(self.least());
        let is_plain = self.settings.demand_only && !self.has_filter();
        let metrics = if is_plain { metrics.demand_only() } else { metrics };
        Told::read(&self.detector.metrics(&metrics).unwrap())
    }

    pub fn has_filter(&self) -> bool {
        self.settings.filter.is_some()
    }

    /// Whether a filter was ever full, so that a partition was not counted exactly which should
    /// have been.
    pub fn has_kept_out(&self) -> bool {
        self.detector.statistics().kept_out > 0
    }
}
