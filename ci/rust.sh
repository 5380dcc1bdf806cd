#!/usr/bin/env bash
# Proves the Rust side: unit tests, properties against an oracle of timestamps, conservation under threads, documentation. Then tells
# how much of src/ these tests run, with the C programs against a library that counts. Fails below MINIMUM.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
minimum=${MINIMUM:-95}

cargo test --quiet --locked --doc
tools=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
# Not to a user's toolchain, unasked.
if [[ ! -x $tools/llvm-profdata && ${CI:-} == true ]]; then rustup --quiet component add llvm-tools; fi
if [[ ! -x $tools/llvm-profdata ]] || ! need cc; then
    cargo test --locked --lib --tests
    skip 'coverage: there is no C compiler, or the toolchain has no llvm-tools'
    exit 0
fi

work=$PWD/build/coverage
mkdir -p "$work"
rm -f "$work"/*.profraw
export LLVM_PROFILE_FILE=$work/%p-%8m.profraw CARGO_INCREMENTAL=0
# Of all crates only ours counts.
printf '#!/bin/sh\nexec "$@" -Cinstrument-coverage\n' >"$work/rustc"
chmod +x "$work/rustc"
export RUSTC_WORKSPACE_WRAPPER=$work/rustc

cargo test --locked --lib --tests
mapfile -t objects < <(cargo test --quiet --locked --lib --tests --no-run --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
# By itself: others use what is in the common place.
CARGO_TARGET_DIR=$work cargo rustc --quiet --locked --lib --crate-type cdylib
library=$work/debug/libhotpart.so
ln -sf libhotpart.so "$library.0"
for source in tests/c/{bad_input,bad_structs,bad_observe,caller,due,hot}.c c_examples/{basic,callback,observe,threads}.c; do
    program=$work/$(basename "$source" .c)
    witness=()
    ! grep -q witness.h "$source" || witness=(tests/c/witness.c)
    cc -std=c99 -g -Iinclude -Ic_examples -Itests/c "$source" "${witness[@]}" -L"$work/debug" -lhotpart \
        -Wl,-rpath,"$work/debug" -pthread -o "$program"
    "$program" >/dev/null 2>&1
done

"$tools/llvm-profdata" merge -sparse "$work"/*.profraw -o "$work/all.profdata"
report=$("$tools/llvm-cov" report --instr-profile "$work/all.profdata" --ignore-filename-regex '/(tests|benches|registry|rustc)/|/tests\.rs$' \
    "$library" "${objects[@]/#/--object=}" 2>/dev/null)
# File, and of its lines: how many, missed, covered.
awk '$1 ~ /\.rs$/ { printf "%-24s %5d lines %7s\n", $1, $8, $10 }' <<<"$report" | sort -t'%' -k1,1 >"$work/report"
awk '$1 ~ /\.rs$/ && $10 + 0 < 90 { print "below 90 %:", $1, $10 }' <<<"$report"
covered=$(awk '$1 == "TOTAL" { print $10 + 0 }' <<<"$report")
echo "coverage: $covered % of the lines of src/ (at least $minimum)"
awk -v covered="$covered" -v minimum="$minimum" 'BEGIN { exit !(covered >= minimum) }'
