#!/usr/bin/env bash
# sliding.sh [TIMES]: proves promises 1 to 3 for some minutes (30 TIMES what a release build's `cargo test` does, if nothing is said): a
# hundred million counts, each against an exact oracle, while threads stand still inside partitions that move. Prints how many.
set -euo pipefail
cd "$(dirname "$0")/.."
HOTPART_STRESS=${1:-30} cargo test --release --locked --test sliding -- --nocapture
