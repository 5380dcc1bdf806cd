#!/usr/bin/env bash
# Tells how much of src/ the tests run: the Rust tests, and the C programs against a library that counts. Fails below MINIMUM.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need cargo cc make || exit 0
minimum=${MINIMUM:-95}

tools=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
if [[ ! -x $tools/llvm-profdata ]]; then
    # Not to a user's toolchain, unasked.
    [[ ${CI:-} == true ]] || { skip 'the toolchain has no llvm-tools'; exit 0; }
    rustup --quiet component add llvm-tools
fi
export CARGO_TARGET_DIR=$PWD/build/coverage RUSTFLAGS=-Cinstrument-coverage CARGO_INCREMENTAL=0
mkdir -p "$CARGO_TARGET_DIR"
rm -f "$CARGO_TARGET_DIR"/*.profraw
export LLVM_PROFILE_FILE=$CARGO_TARGET_DIR/%p-%8m.profraw

# Only what asserts nothing about time, and no documentation: those have other binaries each.
cargo test --quiet --locked --lib --tests >"$CARGO_TARGET_DIR/log" 2>&1 || {
    cat "$CARGO_TARGET_DIR/log" >&2
    exit 1
}
mapfile -t objects < <(cargo test --quiet --locked --lib --tests --no-run --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
cargo rustc --quiet --locked --lib --crate-type cdylib
library=$CARGO_TARGET_DIR/debug/libhotpart.so
ln -sf libhotpart.so "$library.0"
for source in tests/c/{bad_input,bad_structs,bad_observe,caller,due,hot}.c c_examples/{basic,callback,observe,threads}.c; do
    program=$CARGO_TARGET_DIR/$(basename "$source" .c)
    witness=()
    [[ $source == */bad_* ]] && witness=(tests/c/witness.c)
    cc -std=c99 -g -Iinclude -Ic_examples -Itests/c -DHOTPART_VERSION="\"$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)\"" \
        "$source" "${witness[@]}" -L"$CARGO_TARGET_DIR/debug" -lhotpart -Wl,-rpath,"$CARGO_TARGET_DIR/debug" -pthread -o "$program"
    "$program" >/dev/null 2>&1
done

"$tools/llvm-profdata" merge -sparse "$CARGO_TARGET_DIR"/*.profraw -o "$CARGO_TARGET_DIR/all.profdata"
report=$("$tools/llvm-cov" report --instr-profile "$CARGO_TARGET_DIR/all.profdata" --ignore-filename-regex '/(tests|benches|registry|rustc)/' \
    "$library" "${objects[@]/#/--object=}" 2>/dev/null)
# File, and of its lines: how many, missed, covered.
awk '$1 ~ /\.rs$/ { printf "%-24s %5d lines %7s\n", $1, $8, $10 }' <<<"$report" | sort -t'%' -k1,1 >"$CARGO_TARGET_DIR/report"
awk '$1 ~ /\.rs$/ && $10 + 0 < 90 { print "below 90 %:", $1, $10 }' <<<"$report"
covered=$(awk '$1 == "TOTAL" { print $10 + 0 }' <<<"$report")
echo "coverage: $covered % of the lines of src/ (at least $minimum)"
awk -v covered="$covered" -v minimum="$minimum" 'BEGIN { exit !(covered >= minimum) }'
