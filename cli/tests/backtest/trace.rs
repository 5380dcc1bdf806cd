//! Traces: read from a file, or made up.

use std::fmt::Write;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub time_ms: u64,
    pub operation: &'static str,
    pub table: String,
    pub pk: String,
    pub amount: u64,
    /// "": none.
    pub model: String,
}

/// xorshift64*.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % n
    }
}

/// Reads the columns that every trace has.
pub fn parse(text: &str) -> Vec<Line> {
    let line = |line: &str| {
        let columns: Vec<&str> = line.split(',').collect();
        let [time_ms, operation, table, pk] = columns[..] else { panic!("not four columns: {line}") };
        Line {
            time_ms: time_ms.parse().unwrap(),
            operation: if operation == "write" { "write" } else { "read" },
            table: table.into(),
            pk: pk.into(),
            amount: 1,
            model: String::new(),
        }
    };
    text.lines().skip(1).map(line).collect()
}

/// Some minutes of traffic: a few keys have most of it, some come in bursts, most come once. Now
/// and then nothing happens for minutes.
pub fn made_up(seed: u64, n: usize) -> Vec<Line> {
    let (mut random, mut time_ms) = (Random(seed), 1_767_225_600_000);
    let mut lines = Vec::new();
    while lines.len() < n {
        time_ms += match random.below(10_000) {
            0 => 150_000 + random.below(100_000),
            1..200 => random.below(2_000),
            _ => random.below(20),
        };
        let key = match random.below(4) {
            0 => random.below(4),
            1 => 10 + random.below(30),
            2 => 100 + random.below(400),
            _ => 1_000 + random.below(n as u64),
        };
        let line = Line {
            time_ms,
            operation: if random.below(3) == 0 { "read" } else { "write" },
            table: format!("t{}", key % 3),
            pk: format!("key {key}"),
            amount: if random.below(8) == 0 { 1 + random.below(9) } else { 1 },
            model: if random.below(5) == 0 { "m".into() } else { String::new() },
        };
        let burst = if random.below(500) == 0 { random.below(60) } else { 1 };
        lines.extend((0..burst).map(|_| line.clone()));
    }
    lines
}

/// Moves lines in the file, none later than it may be.
pub fn shuffled(lines: &[Line], lateness_ms: u64) -> Vec<Line> {
    let mut random = Random(7);
    let mut order: Vec<_> =
        lines.iter().map(|line| (line.time_ms + random.below(lateness_ms + 1), line)).collect();
    order.sort_by_key(|&(place, _)| place);
    order.into_iter().map(|(_, line)| line.clone()).collect()
}

/// Writes CSV, with a first line that names the columns.
pub fn csv(lines: &[Line]) -> String {
    let mut text = String::from("time_ms,operation,table,pk,amount,model\n");
    for Line { time_ms, operation, table, pk, amount, model } in lines {
        writeln!(text, "{time_ms},{operation},{table},{pk},{amount},{model}").unwrap();
    }
    text
}
