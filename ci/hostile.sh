#!/usr/bin/env bash
# Proves that 10,000,000 distinct keys at a bound of 10,000 partitions take the memory of 10,000;
# and that as many in a filter of 4 MiB, and in one that is too small for them, take no more than
# that, as the kernel has it too, while a hot key among them is warned about at its threshold.
# Prints how much that is. The tests do the same with fewer.
set -euo pipefail
cd "$(dirname "$0")/.."
log=build/hostile
mkdir -p build
# Each in a process of its own, which holds nothing of another's that it could use again.
for test in the_bound the_filter a_filter_that_is_too_small; do
    HOTPART_STRESS=20 cargo test --quiet --release --locked --test memory -- --exact "hostile_keys_take_no_more_than_$test" --nocapture |
        tee "$log"
    grep -q '10000000 distinct keys' "$log" || { echo "failed: $test, not with 10,000,000 keys" >&2; exit 1; }
done
