//! The top.

pub mod args;

use anyhow::{Result, bail};

pub fn run(_args: &args::Top) -> Result<()> {
    bail!("not there yet")
}
