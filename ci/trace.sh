#!/usr/bin/env bash
# Proves that what replay prints of a trace, each count and each warning, agrees with an exact oracle: for the synthetic
# trace always, for a real one if HOTPART_TRACE names it.
set -euo pipefail
cd "$(dirname "$0")/.."

make --no-print-directory build CC=cc
build=build/cc
"$build/synthesize" >"$build/synthetic.csv"

accept() {
    HOTPART_TRACE=$(realpath "$1") HOTPART_REPLAY=$(realpath "$build/replay") \
        cargo test --locked --quiet --test trace -- --nocapture
}

accept "$build/synthetic.csv"
if [[ -n ${HOTPART_TRACE:-} ]]; then
    accept "$HOTPART_TRACE"
else
    echo 'skipped: HOTPART_TRACE names no real trace'
fi
