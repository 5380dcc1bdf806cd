#!/usr/bin/env bash
# Proves that 10,000,000 distinct keys at a bound of 10,000 partitions take the memory of 10,000, and prints how much that is. The
# tests do the same with fewer.
set -euo pipefail
cd "$(dirname "$0")/.."
log=build/hostile
mkdir -p build
HOTPART_STRESS=20 cargo test --release --locked --test memory hostile -- --nocapture | tee "$log"
grep -q '10000000 distinct keys' "$log" || { echo "failed: not with 10,000,000 keys" >&2; exit 1; }
