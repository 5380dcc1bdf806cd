//! Arguments of the report.

use crate::args::Inputs;
use crate::period::Period;
use crate::report::compare::rule::Source;
use clap::Args;

#[derive(Args, Debug)]
pub struct Report {
    #[command(flatten)]
    pub inputs: Inputs,
    /// List this many partitions for each operation, those that came closest to their limit
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub top: u32,
    /// A partition is hot if it takes more than this share of DynamoDB's limit in any one second,
    /// or if DynamoDB throttled it for its own traffic. The limit is 1,000 write units or 3,000
    /// read units a second. The advice keeps each part of a key within this share
    #[arg(long, value_name = "SHARE", default_value = "50%", value_parser = share)]
    pub hot: f64,
    /// Count capacity units in place of operations, where the log has them or they can be
    /// estimated. Any other operation counts as one unit
    #[arg(long)]
    pub units: bool,
    #[command(flatten)]
    pub period: Period,
    /// Compare with a report of CloudWatch's Contributor Insights, which `aws cloudwatch
    /// get-insight-rule-report` prints. It does not name its rule: give that as RULE, or in the
    /// file's name, as in DynamoDBContributorInsights-PKC-events-1772445841000.json. May be given
    /// several times
    #[arg(long, value_name = "[RULE=]FILE", value_parser = Source::parse)]
    pub compare_with: Vec<Source>,
    /// Print JSON; its schema is in cli/schema/report.json
    #[arg(long)]
    pub json: bool,
}

/// Reads a share: `50%` or `0.5`.
fn share(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    let share = share.ok().filter(|share| (0.01..=1.0).contains(share));
    share.ok_or_else(|| "a share is from 1% to 100%, or from 0.01 to 1, as in 50% or 0.5".into())
}
