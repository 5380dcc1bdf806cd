#!/usr/bin/env bash
# Proves that 10,000,000 distinct keys at a bound of 10,000 partitions take the memory of 10,000; and that as many in a filter of
# 4 MiB take no more than that, as the kernel has it too, while a hot key among them is warned about at its threshold. Prints how
# much that is. The tests do the same with fewer.
set -euo pipefail
cd "$(dirname "$0")/.."
log=build/hostile
mkdir -p build
HOTPART_STRESS=20 cargo test --release --locked --test memory hostile -- --nocapture | tee "$log"
for where in 'at a bound' 'in a filter'; do
    grep -q "10000000 distinct keys $where" "$log" || { echo "failed: not with 10,000,000 keys $where" >&2; exit 1; }
done
