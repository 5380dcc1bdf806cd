#!/usr/bin/env bash
# What `make test` does in short, at length: some hours. Whoever changes the map, the wheels or the boundary runs it.
set -euo pipefail
cd "$(dirname "$0")/.."
# Without its features the library does less, and all of that.
cargo test --quiet --locked --no-default-features
ci/loom.sh
ci/mutations.sh
ci/sanitizers.sh
ci/hostile.sh
ci/bounded.sh
ci/sliding.sh
HOTPART_STRESS=10 cargo test --quiet --release --locked --test bounded --test bounded_memory
ci/python.sh
ci/suites.sh
ci/node.sh
ci/recipe.sh
ci/fleet.sh
ci/fuzz.sh 1800
FUZZ=cli/fuzz ci/fuzz.sh 600
ci/sql.sh
ci/explore.sh all
ci/soak.sh 3600
