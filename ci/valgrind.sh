#!/usr/bin/env bash
# Proves, by memcheck, that the C programs read nothing wild or uninitialised and leak nothing. What is still
# reachable at the end is not a leak: the library keeps one collector and each thread's registration for good.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need valgrind gcc || exit 0

make --no-print-directory build CC=gcc

memcheck() {
    echo "valgrind $1"
    valgrind --quiet --error-exitcode=1 --leak-check=full --show-leak-kinds=definite,indirect,possible \
        --errors-for-leak-kinds=definite,indirect,possible "${@:2}"
}

for program in basic callback layout bad_input bad_structs unload; do
    memcheck "$program" "build/gcc/$program" >/dev/null
done
memcheck threads build/gcc/threads 2000
build/gcc/synthesize >build/gcc/synthetic.csv
memcheck replay build/gcc/replay --window 10 --writes 100 --reads 150 <build/gcc/synthetic.csv >/dev/null
