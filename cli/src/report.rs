//! The report: what was hot, when, by how much, and what to do.

pub mod args;

use anyhow::{Result, bail};

pub fn run(_args: &args::Report) -> Result<()> {
    bail!("not there yet")
}
