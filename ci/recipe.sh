#!/usr/bin/env bash
# Proves the recipe for aws-sdk-dynamodb: it is formatted and clean, and counts right with the real SDK, against emulators of
# DynamoDB on loopback and a server that answers what none of them does. It is built under build/recipe.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need cargo cc || exit 0
# Without them it is tested against the server alone.
if need python3 npm; then source ci/emulators.sh; fi

# The SDK is large, and nobody debugs it here.
export CARGO_TARGET_DIR=$PWD/build/recipe CARGO_PROFILE_DEV_DEBUG=none
cd recipes/aws-sdk-dynamodb
cargo fmt --check
# It has the SDK checked besides, which takes long.
[[ ${QUICK:-} == true ]] || cargo clippy --quiet --locked --all-targets -- -D warnings
cargo test --quiet --locked
