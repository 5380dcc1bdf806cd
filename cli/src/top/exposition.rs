//! Prometheus's text format, as the library's `/metrics` has it: the samples of one page.

use std::collections::BTreeMap;

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// Reads all samples of a page. Lines that are no samples, such as other libraries may write, are
/// left out.
pub fn samples(text: &str) -> Vec<Sample> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect()
}

/// Leaves out samples of this library whose value is negative or not finite, which no page of it
/// has. Returns how many.
pub fn leave_out_untrue(samples: &mut Vec<Sample>) -> u64 {
    let all = samples.len();
    samples.retain(|Sample { name, value, .. }| {
        !name.contains("hotpart_") && name != "throttles" || value.is_finite() && *value >= 0.0
    });
    (all - samples.len()) as u64
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(within) = rest.strip_prefix('{') {
        rest = read_labels(within, &mut labels)?;
    }
    // A time may follow.
    let value = rest.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Sample { name: name.into(), labels, value })
}

/// Reads `a="b",c="d"}` and returns what follows it.
fn read_labels<'a>(mut text: &'a str, labels: &mut BTreeMap<String, String>) -> Option<&'a str> {
    loop {
        text = text.trim_start_matches([',', ' ']);
        if let Some(rest) = text.strip_prefix('}') {
            return Some(rest);
        }
        let (name, rest) = text.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = rest.char_indices();
        text = loop {
            match chars.next()? {
                (at, '"') => break &rest[at + 1..],
                (_, '\\') => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        };
        labels.insert(name.into(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotpart::{Detector, Metrics};

    #[test]
    fn labels_come_out_as_they_went_into_the_librarys_page() {
        let detector = Detector::builder(500, 1_500, 60).manual_clock().build().unwrap();
        let pks = ["plain", "", "a\"b\nd", "} 7", "umlaut ü", ","];
        for pk in pks {
            detector.record_write("t,{}", pk).unwrap();
        }
        let page = detector.metrics(&Metrics::default()).unwrap();
        let demands = samples(&page).into_iter().filter(|sample| sample.name == "hotpart_partition_demand");
        let mut seen: Vec<_> = demands
            .map(|sample| (sample.labels["table"].clone(), sample.labels["pk"].clone(), sample.value))
            .collect();
        let mut wanted: Vec<_> = pks.map(|pk| ("t,{}".to_string(), pk.to_string(), 1.0)).to_vec();
        seen.sort_by(|a, b| a.partial_cmp(b).unwrap());
        wanted.sort_by(|a, b| a.partial_cmp(b).unwrap());
        assert_eq!(seen, wanted);
    }

    #[test]
    fn other_lines_are_left_out() {
        let page = "# HELP a b\na 1\nb{} +Inf 1700000000\nc{x=\"y\"\nd{x=\"y\"} nothing\n";
        let names: Vec<_> = samples(page).into_iter().map(|sample| sample.name).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
