#!/usr/bin/env bash
# sliding.sh [TIMES]: proves promises 1 to 3 under threads that stand still inside partitions that move: some hundred million counts,
# each against an exact oracle, in some minutes. TIMES, 60 if nothing is said, is by how much it is more than cargo test --release.
set -euo pipefail
cd "$(dirname "$0")/.."
HOTPART_STRESS=${1:-60} cargo test --release --locked --test sliding -- --nocapture
