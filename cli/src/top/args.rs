//! Arguments of the live screen.

use clap::Args;

#[derive(Args, Debug)]
pub struct Top {
    /// Addresses of processes' metrics, or of a Prometheus
    #[arg(value_name = "URL", required = true)]
    pub urls: Vec<String>,
}
