#!/usr/bin/env bash
# loom.sh [NAME]: proves the concurrent types: explores the interleavings of each loom model, or of those with NAME in theirs, within
# a bound on preemptions, and prints how many executions that were.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="--cfg loom --cfg crossbeam_loom -D warnings"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
cargo test --quiet --locked --release --lib --no-run
models=$(cargo test --quiet --locked --release --lib --no-run --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
# In processes of their own: each execution maps stacks, which threads of one process would wait for each other to do.
"$models" --list --format terse "$@" | sed -n 's/: test$//p' |
    xargs -P "$(getconf _NPROCESSORS_ONLN)" -I '{}' "$models" --quiet --nocapture --exact '{}' | grep '^loom:'
