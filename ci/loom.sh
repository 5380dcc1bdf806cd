#!/usr/bin/env bash
# Proves the concurrent types: explores the interleavings of each loom model, within a bound on preemptions, and prints how many
# executions that were.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="--cfg loom --cfg crossbeam_loom -D warnings"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
cargo test --locked --release --lib -- --nocapture "$@"
