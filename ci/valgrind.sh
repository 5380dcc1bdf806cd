#!/usr/bin/env bash
# Proves, by memcheck, that the C programs read nothing wild or uninitialised and leak nothing. What is still
# reachable at the end is not a leak: the library keeps one collector and each thread's registration for good.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need valgrind gcc || exit 0

make --no-print-directory build CC=gcc

# Threads take turns: by valgrind's default one that never waits can keep the others from ever going on.
memcheck() {
    echo "valgrind $*"
    valgrind --quiet --fair-sched=yes --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect,possible \
        --errors-for-leak-kinds=definite,indirect,possible "$@" >/dev/null
}

for program in basic callback observe layout bad_input bad_structs bad_observe caller due hot scenarios; do
    memcheck "build/gcc/$program"
done
memcheck build/gcc/threads 20
build/gcc/synthesize >build/gcc/synthetic.csv
memcheck build/gcc/replay --window 10 --writes 100 --reads 150 <build/gcc/synthetic.csv

# A forked child leaves behind, once, what its parent's collector held; so here only accesses are judged. The child
# watches its own memory too, of which memcheck must then not hold back much.
memcheck --leak-check=no build/gcc/unload
memcheck --leak-check=no --freelist-vol=100000 build/gcc/fork 2
