#!/usr/bin/env bash
# Proves, by simulation beside an exact oracle, that a filter misses no hot partition, keeps to its
# memory, and warns falsely of none but those that come near their threshold; prints what it does.
# In full, with 10,000,000 partitions, it takes 3 minutes and 2 GB. HOTPART_TRACE may name a
# trace for it.
set -euo pipefail
cd "$(dirname "$0")/.."
quick=()
[[ ${QUICK:-} != true ]] || quick=(--quick)
cargo bench --quiet --locked --bench bounded -- "${quick[@]}"
