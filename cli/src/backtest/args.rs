//! Arguments of the backtest.

use crate::args::Inputs;
use clap::Args;

#[derive(Args, Debug)]
pub struct Backtest {
    #[command(flatten)]
    pub inputs: Inputs,
}
