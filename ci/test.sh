#!/usr/bin/env bash
# Runs all tests (make test) in two lanes side by side, for much of each waits for something. Prints what each test printed once it
# has ended; until then that is in build/tests. The first that fails ends all.
set -euo pipefail
cd "$(dirname "$0")/.."
export QUICK=true
logs=$PWD/build/tests
mkdir -p "$logs"

# lane TEST...: runs ci/TEST.sh one by one.
lane() {
    local test start
    for test in "$@"; do
        start=$SECONDS
        if ! "ci/$test.sh" >"$logs/$test" 2>&1; then
            printf '== ci/%s.sh\n%s\nfailed: ci/%s.sh\n' "$test" "$(<"$logs/$test")" "$test"
            exit 1
        fi
        printf '== ci/%s.sh: %d s\n%s\n' "$test" $((SECONDS - start)) "$(<"$logs/$test")"
    done
}

# In groups of their own, so that all that they have started can be ended. What builds in the same place is in the same lane.
set -m
lane python node go recipe workflows deny coverage fuzz </dev/null &
lanes=(-$!)
lane rust loom c valgrind instructions exports package trace metrics soak sanitizers </dev/null &
lanes+=(-$!)
trap 'kill -- "${lanes[@]}" 2>/dev/null || true' EXIT
trap 'exit 1' INT TERM
wait -n
wait -n
