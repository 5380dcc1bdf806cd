#!/usr/bin/env bash
# Proves the recipe for aws-sdk-dynamodb: it is formatted and clean, and counts right with the real SDK, against emulators of
# DynamoDB on loopback and a server that answers what none of them does. It is built under build/recipe.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need cargo cc || exit 0
# Without them it is tested against the server alone.
if need python3 npm; then source ci/emulators.sh; fi

export CARGO_TARGET_DIR=$PWD/build/recipe
cd recipes/aws-sdk-dynamodb
cargo fmt --check
cargo clippy --quiet --locked --all-targets -- -D warnings
cargo test --quiet --locked
