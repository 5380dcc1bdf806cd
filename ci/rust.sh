#!/usr/bin/env bash
# Proves the Rust side: unit tests, properties against an oracle of timestamps, conservation under threads, documentation.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --locked "$@"
