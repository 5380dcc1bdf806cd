#!/usr/bin/env bash
# explore.sh [all | ARGUMENT...]: the release library with a thread stopped after single instructions of one call, while another
# does what may hurt; see tests/explore/main.rs. A sample of places, all of them with `all`, or what the arguments say. Proves
# that every count and warning is right, and that the other could go on.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
if [[ $(uname -sm) != 'Linux x86_64' ]]; then
    echo 'skipped: the explorer steps through x86-64 instructions under ptrace of Linux'
    exit 0
fi
need cargo || exit 0
make --no-print-directory library
HOTPART_LIBRARY_DIR=$(realpath "${CARGO_TARGET_DIR:-target}")/release
export HOTPART_LIBRARY_DIR
if (($# == 0)); then
    set -- --every 40
elif [[ $1 == all ]]; then
    set -- --every 1
fi
cargo test --locked --test explore -- "$@"
