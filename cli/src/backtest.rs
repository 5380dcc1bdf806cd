//! The backtest.

pub mod args;

use anyhow::{Result, bail};

pub fn run(_args: &args::Backtest) -> Result<()> {
    bail!("not there yet")
}
