#!/usr/bin/env bash
# Proves what finds a partition that is hot only in the sum of all processes: lists, by a simulation of
# fifty processes and of five hundred (some minutes, or seconds with QUICK=true); the rules, by
# ci/rules.sh; then all in a real fleet of three C programs and two in Python, which a real Prometheus on
# loopback scrapes each second, and each expression of the dashboard by what that Prometheus answers.
# `ci/fleet.sh picture` draws docs/pictures/fleet.svg of such a fleet instead. All else is put under
# build/fleet.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
quick=()
[[ ${QUICK:-} != true ]] || quick=(--quick)
cargo bench --quiet --locked --bench fleet -- "${quick[@]}"
need prometheus promtool python3 || exit 0

ci/rules.sh
rules=deploy/prometheus
for setting in regex 'sample_\?limit'; do
    diff -i <(sed -n "s/^ *$setting: //pI" "$rules/scrape.yml") <(sed -n "s/^ *$setting: //pI" "$rules/podmonitor.yml")
done
# Grafana's model of a dashboard.
env=build/fleet/env
sdk='grafana-foundation-sdk==1769699998!10.1.0'
if [[ ! -x $env/bin/python || $(<"$env/has") != "$sdk" ]]; then
    rm -rf "$env"
    python3 -m venv "$env"
    "$env/bin/pip" install --quiet --disable-pip-version-check "$sdk"
    echo "$sdk" >"$env/has"
fi
"$env/bin/python" tests/prometheus/dashboard.py

make --no-print-directory build/cc/fleet_process CC=cc
work=$(mktemp -d)
fleet=() ports=()
trap 'kill "${fleet[@]}" $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT

# process NUMBER COMMAND...: starts one of the fleet, and waits until it serves.
process() {
    local port=$work/$1
    "${@:2}" >"$port" &
    fleet+=($!)
    # Bash has nothing to say when it is killed.
    disown
    until [[ -s $port ]]; do
        kill -0 "${fleet[-1]}"
        sleep 0.1
    done
    ports+=("$(<"$port")")
}
process 1 build/cc/fleet_process 1
process 2 build/cc/fleet_process 2
process 3 build/cc/fleet_process 3 bounded
libraries=$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd)
export PYTHONPATH=$PWD/bindings/python/src HOTPART_LIBRARY=$libraries/libhotpart.so PYTHONDONTWRITEBYTECODE=1
process 4 python3 tests/prometheus/process.py 4
process 5 python3 tests/prometheus/process.py 5

# As it is deployed, but for who is scraped and how often.
cp "$rules/hotpart-fleet.rules.yml" "$work/"
targets=$(printf ', "127.0.0.1:%s"' "${ports[@]}")
sed -e 's/: 15s$/: 1s/' -e "s/targets: .*/targets: [${targets#, }]/" "$rules/scrape.yml" >"$work/scrape.yml"
free=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
prometheus --config.file="$work/scrape.yml" --storage.tsdb.path="$work/data" --web.listen-address="127.0.0.1:$free" \
    >"$work/log" 2>&1 &

processes=()
for n in "${!fleet[@]}"; do processes+=("${fleet[n]}:${ports[n]}"); done
python3 "tests/prometheus/${1:-fleet}.py" "http://127.0.0.1:$free" "${processes[@]}" || {
    tail -5 "$work/log" >&2
    exit 1
}
