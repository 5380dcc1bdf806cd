//! The instruction counts that `make instructions` wrote, which are the same on each run.

/// The file as it was when the benchmark was compiled.
pub const COMMITTED: &str = include_str!("../instructions.txt");

/// A call that is to execute at most so many instructions.
pub struct Goal {
    pub call: &'static str,
    pub work: &'static str,
    pub least: f64,
    pub aim: f64,
}

pub const GOALS: [Goal; 4] = [
    Goal { call: "hpd_record_write", work: "a record, by a manual clock", least: 300.0, aim: 220.0 },
    Goal { call: "hpd_record_batch/per-record", work: "a record of a batch", least: 200.0, aim: 120.0 },
    Goal { call: "hpd_record_write/turn", work: "a turn, with a history of 7", least: 550.0, aim: 400.0 },
    Goal {
        call: "hpd_record_write/turn-that-grows",
        work: "a turn that a history grows at, from 7 to 15",
        least: 2_500.0,
        aim: 1_500.0,
    },
];

/// The counts, by call, in the file's order, and what they were taken with.
#[derive(Debug, PartialEq)]
pub struct Counts {
    pub machine: String,
    pub compiler: String,
    pub calls: Vec<(String, f64)>,
}

impl Counts {
    /// A line has a call and its count; what the counts were taken with stands in comments.
    pub fn read(text: &str) -> Result<Self, String> {
        let comment = |name: &str| text.lines().find_map(|line| line.strip_prefix(&format!("# {name}: ")));
        let count = |line: &str| {
            let (call, count) = line.split_once(' ')?;
            let count: f64 = count.trim().parse().ok()?;
            (count > 0.0 && count.is_finite()).then(|| (call.into(), count))
        };
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let calls = lines.map(|line| count(line).ok_or_else(|| format!("no count: {line:?}")));
        Ok(Self {
            machine: comment("machine").ok_or("no machine")?.into(),
            compiler: comment("compiler").ok_or("no compiler")?.into(),
            calls: calls.collect::<Result<_, _>>()?,
        })
    }

    pub fn of(&self, call: &str) -> Option<f64> {
        self.calls.iter().find_map(|(name, count)| (name == call).then_some(*count))
    }
}
