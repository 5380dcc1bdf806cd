//! Arguments of the report.

use crate::args::Inputs;
use clap::Args;

#[derive(Args, Debug)]
pub struct Report {
    #[command(flatten)]
    pub inputs: Inputs,
}
