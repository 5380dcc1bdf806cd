#!/usr/bin/env bash
# soak.sh [SECONDS]: four threads do everything at once for so long, an hour if nothing is said (a minute with QUICK=true), at
# least half a minute. Proves that every record is counted, that what has left the window is reclaimed and memory bounded; in five
# minutes or more also that memory stays flat and that latency does not drift twofold. Prints all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need cc cargo || exit 0

make --no-print-directory library
target=$(realpath "${CARGO_TARGET_DIR:-target}")/release
mkdir -p build
cc -std=c99 -pedantic -Wall -Wextra -Werror -O2 -g -Iinclude -Ic_examples benches/soak.c -L"$target" -lhotpart \
    -Wl,-rpath,"$target" -pthread -o build/soak
build/soak "${1:-$([[ ${QUICK:-} == true ]] && echo 60 || echo 3600)}"
