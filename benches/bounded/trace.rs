//! A recorded trace, which `HOTPART_TRACE` names, as `ci/trace.sh` takes it.

use crate::design::Design;
use crate::oracle::Series;
use crate::scenario::Scenario;
use crate::traffic::Source;
use std::collections::HashMap;
use std::fs::read_to_string;
use std::rc::Rc;

const TRACE: &str = "HOTPART_TRACE";
const MIB: u64 = 1 << 20;

/// Tables and keys by number, and the records of each second.
pub struct Trace {
    pub partitions: Vec<(String, String)>,
    pub seconds: Vec<Vec<Series>>,
}

/// The trace at thresholds that few and many partitions reach.
pub fn scenarios() -> Vec<Scenario> {
    let Some(path) = std::env::var_os(TRACE) else {
        eprintln!("skipped: {TRACE} names no trace");
        return Vec::new();
    };
    let text = read_to_string(path).expect("the trace is readable");
    let trace = Rc::new(Trace::read(&text));
    [(500, MIB / 4, 8_192), (200, MIB / 2, 8_192), (50, 2 * MIB, 256)]
        .map(|(threshold, bytes, bound)| Scenario {
            name: "trace".into(),
            window: 60,
            threshold,
            source: Source::Read(trace.clone()),
            designs: vec![
                Design::filter(bytes),
                Design::small(bytes / 2),
                Design::Bound(bound),
                Design::Exact,
            ],
        })
        .into()
}

impl Trace {
    fn read(text: &str) -> Self {
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("time_ms,operation,table,pk"));
        let mut numbers = HashMap::new();
        let (mut partitions, mut seconds) = (Vec::new(), Vec::new());
        for line in lines {
            let columns: Vec<&str> = line.split(',').collect();
            let [time_ms, operation, table, pk] = columns[..] else { panic!("not four columns: {line}") };
            let second = time_ms.parse::<usize>().expect("a time") / 1_000;
            assert!(second + 1 >= seconds.len(), "the trace is not in the order of time: {line}");
            seconds.resize(second + 1, Vec::new());
            let number = *numbers.entry((table, pk)).or_insert_with(|| {
                partitions.push((table.to_owned(), pk.to_owned()));
                partitions.len() - 1
            });
            let of = ["write", "read"].iter().position(|&name| name == operation).expect("an operation");
            seconds[second].push((2 * number + of) as Series);
        }
        Self { partitions, seconds }
    }
}
