//! Arguments of the heatmap.

use crate::args::Inputs;
use clap::Args;

#[derive(Args, Debug)]
pub struct Heatmap {
    #[command(flatten)]
    pub inputs: Inputs,
}
