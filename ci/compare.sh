#!/usr/bin/env bash
# compare.sh COMMIT [ROUNDS [PROCESSES]]: what a record costs beside what it cost at COMMIT, both builds in one process and
# in turns. Noise that both have falls out; how sound it is tells a second copy of the old one. For people: nothing is judged.
set -euo pipefail
cd "$(dirname "$0")/.."
commit=${1:?the commit to compare with} rounds=${2:-81} processes=${3:-5}

old=$(mktemp -d)
trap 'git worktree remove --force "$old/tree"; rm -rf "$old"' EXIT
git worktree add --quiet --detach "$old/tree" "$commit"
make --no-print-directory library build/compare
(cd "$old/tree" && CARGO_TARGET_DIR=$old/target cargo rustc --quiet --release --locked --lib --crate-type cdylib)
# Two files: the loader takes one file for one library.
cp "$old/target/release/libhotpart.so" "$old/old.so"
cp "$old/target/release/libhotpart.so" "$old/control.so"
cp "${CARGO_TARGET_DIR:-target}/release/libhotpart.so" "$old/new.so"
for ((i = 0; i < processes; i++)); do
    build/compare "$old/old.so" "$old/new.so" "$old/control.so" "$rounds"
done
