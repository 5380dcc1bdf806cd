#!/usr/bin/env bash
# Proves that 10,000,000 distinct keys at a bound of 10,000 partitions take the memory of 10,000, and prints how much that is. The
# tests do the same with fewer.
set -euo pipefail
cd "$(dirname "$0")/.."
HOTPART_STRESS=20 cargo test --release --locked --test memory hostile -- --nocapture
