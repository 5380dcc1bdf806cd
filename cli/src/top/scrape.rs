//! Scrape: asks processes for their metrics, or a Prometheus for what it has recorded of them.

use crate::top::args::Top;
use crate::top::exposition::{Sample, leave_out_untrue, samples};
use crate::top::fleet::Fleet;
use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use ureq::Agent;

/// The most bytes of a page of metrics.
const PAGE_MOST: u64 = 64 << 20;
/// The series of the fleet's rules, and those that are asked for besides.
const RULES: &str = r#"{__name__=~"fleet:hotpart_(partition_demand:(sum|most)|partition_unlisted:most|window_seconds|processes:seen)"}"#;
const THROTTLES: &str = "sum by (table, pk, operation) (hotpart_partition_throttles)";

/// Looks at all addresses once.
pub fn look(args: &Top) -> Fleet {
    let config = Agent::config_builder().timeout_global(Some(Duration::from_secs_f64(args.timeout))).build();
    let agent = Agent::new_with_config(config);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = args.urls.iter().map(|url| scope.spawn(|| ask(&agent, url))).collect();
        asked.into_iter().map(|thread| thread.join().expect("asking does not panic")).collect()
    });
    let (mut pages, mut recorded, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    let mut unread = 0;
    for (url, answer) in args.urls.iter().zip(answers) {
        match answer {
            Ok(Answer::Page(mut samples)) => {
                unread += leave_out_untrue(&mut samples);
                pages.push(samples);
            }
            Ok(Answer::Recorded(mut samples)) => {
                unread += leave_out_untrue(&mut samples);
                recorded.extend(samples);
            }
            Err(error) => failed.push(format!("{url}: {error:#}")),
        }
    }
    let mut fleet = if recorded.is_empty() {
        Fleet::of_processes(&pages, args.window)
    } else {
        Fleet::of_rules(&recorded, args.window)
    };
    (fleet.failed, fleet.unread) = (failed, unread);
    fleet
}

/// An address's answer.
enum Answer {
    /// A process: its page.
    Page(Vec<Sample>),
    /// A Prometheus: what it has recorded.
    Recorded(Vec<Sample>),
}

/// Asks one address. Without a path, or with its API's, it is a Prometheus.
fn ask(agent: &Agent, url: &str) -> Result<Answer> {
    let url = if url.contains("://") { url.to_string() } else { format!("http://{url}") };
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    if !path.is_empty() && !path.starts_with("api/v1") {
        let samples = samples(&get(agent, &url)?);
        if !samples.iter().any(|sample| sample.name.starts_with("hotpart_")) {
            bail!("it answers, but not with metrics of hotpart");
        }
        return Ok(Answer::Page(samples));
    }
    let base = url.split("/api/v1").next().unwrap_or(&url).trim_end_matches('/');
    let mut all = query(agent, base, RULES)?;
    if all.is_empty() {
        bail!(
            "this Prometheus has no series of the fleet's rules (deploy/prometheus/hotpart-fleet.rules.yml)"
        );
    }
    for sample in query(agent, base, THROTTLES)? {
        all.push(Sample { name: "throttles".into(), ..sample });
    }
    Ok(Answer::Recorded(all))
}

fn get(agent: &Agent, url: &str) -> Result<String> {
    let mut answer = agent.get(url).call().map_err(unanswered)?;
    Ok(answer.body_mut().with_config().limit(PAGE_MOST).read_to_string()?)
}

/// Returns an error that says in plain words why an address gave no page.
fn unanswered(error: ureq::Error) -> anyhow::Error {
    match error {
        ureq::Error::Io(error) => anyhow!("it cannot be reached: {error}"),
        ureq::Error::Timeout(_) => anyhow!("it did not answer within --timeout"),
        ureq::Error::StatusCode(404) => {
            anyhow!("it has no such page (404); a process's address has a path, such as /metrics")
        }
        error => error.into(),
    }
}

#[derive(Deserialize)]
struct Queried {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

/// Asks a Prometheus for the values that an expression has now.
fn query(agent: &Agent, base: &str, expression: &str) -> Result<Vec<Sample>> {
    let asked = agent.get(format!("{base}/api/v1/query")).query("query", expression).call();
    let mut answer = asked.map_err(unanswered)?;
    let text = answer.body_mut().with_config().limit(PAGE_MOST).read_to_string()?;
    let queried: Queried = serde_json::from_str(&text).context(
        "it does not answer as a Prometheus does; a process's address has a path, such as /metrics",
    )?;
    let sample = |series: Series| {
        let mut labels = series.metric;
        let name = labels.remove("__name__").unwrap_or_default();
        Ok(Sample { name, labels, value: series.value.1.parse()? })
    };
    queried.data.result.into_iter().map(sample).collect()
}
