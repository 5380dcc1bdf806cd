#!/usr/bin/env bash
# Proves the command `hotpart`: formatted, clippy has nothing to say, its tests pass, and its manual page and completions are made.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need cargo || exit 0
cargo fmt --check --package hotpart-cli
cargo clippy --quiet --locked --package hotpart-cli --all-targets -- -D warnings
cargo test --quiet --locked --package hotpart-cli
hotpart=${CARGO_TARGET_DIR:-target}/debug/hotpart
"$hotpart" man | grep -q '^.TH hotpart 1'
for shell in bash zsh fish; do "$hotpart" completions "$shell" | grep -q backtest; done
echo "hotpart: manual page, and completions of bash, zsh and fish"
