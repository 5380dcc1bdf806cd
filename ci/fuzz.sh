#!/usr/bin/env bash
# fuzz.sh [SECONDS [TARGET...]]: runs each target of fuzz/, or those named, for so many seconds (10) from the committed corpus, under
# AddressSanitizer with its leak checker; with FUZZ=cli/fuzz those of the command. What fails is left in build/fuzz/TARGET, and what was found on the way.
# The flags are cargo-fuzz's, which does little more than set them; so it need not be installed, nor a nightly toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need cargo c++ || exit 0

seconds=${1:-10}
targets=("${@:2}")
fuzz=${FUZZ:-fuzz}
[[ ${#targets[@]} -gt 0 || $fuzz == fuzz ]] || targets=(inputs)
[[ ${#targets[@]} -gt 0 ]] || targets=(abi oracle bounded observe partiql waits)

host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1 CARGO_BUILD_TARGET=$host CARGO_TARGET_DIR=$PWD/build/fuzz/target
export RUSTFLAGS='--cfg fuzzing -Zsanitizer=address -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0'
cargo build --quiet --locked --release --manifest-path "$fuzz/Cargo.toml"
# Here, where libFuzzer is built.
cargo clippy --quiet --locked --release --manifest-path "$fuzz/Cargo.toml" -- -D warnings

for target in "${targets[@]}"; do
    work=build/fuzz/$target
    mkdir -p "$work"
    options=(-max_total_time="$seconds" -timeout=20 -artifact_prefix="$work." -print_final_stats=1)
    [[ -f $fuzz/$target.dict ]] && options+=(-dict="$fuzz/$target.dict")
    if ! "$CARGO_TARGET_DIR/$host/release/$target" "${options[@]}" "$work" "$fuzz/corpus/$target" >"$work.log" 2>&1; then
        tail -60 "$work.log" >&2
        echo "failed: fuzz target $target; its input is beside $work" >&2
        exit 1
    fi
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work.log")
    echo "$target: $executed executions in $seconds s, $(grep -o 'cov: [0-9]* ft: [0-9]*' "$work.log" | tail -1)"
done
