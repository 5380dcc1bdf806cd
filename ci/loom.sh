#!/usr/bin/env bash
# Proves the concurrent types: explores every interleaving of each loom model, and prints how many there were.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="--cfg loom --cfg crossbeam_loom"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
cargo test --locked --release --lib -- --nocapture "$@"
