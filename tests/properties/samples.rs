//! Metrics of the hottest partitions, read back from their text.

/// The families of partitions' samples in the order of [`Outcome::samples`](crate::call::Outcome),
/// and what a unit of each is in the measure there: half units are halves of units, thousandths are
/// of a whole.
const FAMILIES: [(&str, f64); 5] =
    [("units", 2.0), ("demand", 2.0), ("throttles", 1.0), ("peak", 2.0), ("utilisation_ratio", 1_000.0)];

pub fn samples(text: &str) -> Vec<[u64; 5]> {
    let capacity = text.contains("# TYPE hotpart_partition_units gauge\n");
    let family = |(name, times): (&str, f64)| -> Vec<u64> {
        let name = if name == "units" && !capacity { "operations" } else { name };
        let times = if capacity || times == 1_000.0 { times } else { 1.0 };
        let prefix = format!("hotpart_partition_{name}{{");
        let lines = text.lines().filter(|line| line.starts_with(&prefix));
        let value = |line: &str| line.rsplit_once("} ").unwrap().1.parse::<f64>().unwrap();
        lines.map(|line| (value(line) * times).round() as u64).collect()
    };
    let families = FAMILIES.map(family);
    assert!(families.iter().all(|family| family.len() == families[0].len()), "{text}");
    (0..families[0].len()).map(|i| families.each_ref().map(|family| family[i])).collect()
}
