//! The numbers that one process tells of its partitions: a small reader of the text that Prometheus
//! scrapes.

use hotpart::Operation::{self, Read, Write};
use std::collections::BTreeMap;

/// A table, a key and an operation: the labels of a partition's series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition {
    pub operation: Operation,
    pub table: String,
    pub pk: String,
}

/// The families that the rules for a fleet read of partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub demand: BTreeMap<Partition, u64>,
    pub carried: BTreeMap<Partition, u64>,
    pub unlisted_most: BTreeMap<Operation, u64>,
}

impl Told {
    /// Reads a process's metrics. Panics at a series that is there twice, as Prometheus refuses
    /// such a scrape.
    pub fn read(text: &str) -> Self {
        let mut told = Self::default();
        for line in sample_lines(text) {
            let Some((family, rest)) = line.split_once('{') else { continue };
            let (labels, value) = labels(rest);
            let label = |name: &str| labels.get(name).unwrap_or_else(|| panic!("no {name}: {line}")).clone();
            let value = || value.trim().parse::<u64>().unwrap_or_else(|_| panic!("no number: {line}"));
            let operation = || match label("operation").as_str() {
                "write" => Write,
                "read" => Read,
                other => panic!("no operation: {other}"),
            };
            let partition = || Partition { operation: operation(), table: label("table"), pk: label("pk") };
            let earlier = match family {
                "hotpart_partition_demand" => told.demand.insert(partition(), value()),
                "hotpart_partition_carried" => told.carried.insert(partition(), value()),
                "hotpart_partition_unlisted_most" => told.unlisted_most.insert(operation(), value()),
                _ => continue,
            };
            assert_eq!(earlier, None, "a series that is there twice: {line}");
        }
        told
    }
}

/// The lines that hold samples. A newline in a label is escaped, so each is one line.
fn sample_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// Reads labels from after the opening brace on. Returns them, and the text after the closing one.
fn labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while let Some((name, quoted)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut chars = quoted.chars();
        loop {
            match chars.next().expect("a closing quote") {
                '"' => break,
                '\\' => value.push(match chars.next().expect("an escaped character") {
                    'n' => '\n',
                    same => same,
                }),
                plain => value.push(plain),
            }
        }
        labels.insert(name.trim_start_matches(',').to_string(), value);
        rest = chars.as_str();
        if let Some(after) = rest.strip_prefix('}') {
            return (labels, after);
        }
    }
    panic!("no closing brace: {text}");
}

#[test]
fn labels_are_read_as_prometheus_reads_them() {
    let text = "# TYPE f gauge\nhotpart_records_total 3\n\
                hotpart_partition_demand{table=\"t\",pk=\"a\\\"},b=\\\"\\n\",operation=\"read\"} 7\n\
                hotpart_partition_unlisted_most{operation=\"write\"} 0\n";
    let told = Told::read(text);
    let partition = Partition { operation: Read, table: "t".into(), pk: "a\"},b=\"\n".into() };
    assert_eq!(told.demand, BTreeMap::from([(partition, 7)]));
    assert_eq!((told.carried, told.unlisted_most), (BTreeMap::new(), BTreeMap::from([(Write, 0)])));
}
