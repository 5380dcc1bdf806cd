//! The heatmap.

pub mod args;

use anyhow::{Result, bail};

pub fn run(_args: &args::Heatmap) -> Result<()> {
    bail!("not there yet")
}
