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

# Each lane is a process group, so that all that it has started ends with it.
set -m
lanes=()
stop() {
    for lane in ${lanes[@]+"${lanes[@]}"}; do kill -- "-$lane" 2>/dev/null || true; done
    wait
}
trap stop EXIT
trap 'exit 1' HUP INT TERM
# The languages share their emulators, and what the others make is ready when it is theirs to use. Where both make the same,
# cargo lets one wait, and the other finds it made.
lane prose bindings python node go recipe workflows deny licences cli browser </dev/null &
lanes+=($!)
lane rust bounded explore loom c valgrind instructions exports package trace metrics fleet soak sanitizers fuzz </dev/null &
lanes+=($!)
wait -n
wait -n
