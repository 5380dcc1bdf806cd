#!/usr/bin/env bash
# Proves that promtool has nothing to say of the metrics, and that a real Prometheus on loopback scrapes them and answers with
# the right numbers.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need prometheus promtool curl || exit 0

make --no-print-directory build/cc/metrics_server CC=cc
server=build/cc/metrics_server
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT

"$server" prometheus | promtool check metrics
"$server" openmetrics | tail -1 | grep -qx '# EOF'

"$server" >"$work/port" &
until [[ -s $work/port ]]; do sleep 0.1; done
cat >"$work/prometheus.yml" <<EOF
global: {scrape_interval: 1s}
scrape_configs: [{job_name: hotpart, static_configs: [{targets: ["127.0.0.1:$(<"$work/port")"]}]}]
EOF
free=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" \
    --web.listen-address="127.0.0.1:$free" >"$work/log" 2>&1 &

# expect QUERY NUMBER: what Prometheus answers, once it has scraped.
expect() {
    local answer=
    for _ in $(seq 300); do
        answer=$(curl -s --data-urlencode "query=$1" "http://127.0.0.1:$free/api/v1/query" || true)
        [[ $answer == *"\"$2\"]"* ]] && return
        sleep 0.1
    done
    echo "failed: $1 is not $2 but: $answer" >&2
    tail -5 "$work/log" >&2
    exit 1
}

expect 'hotpart_partition_units{table="events",pk="EVENTS",operation="read"}' 617.5
expect 'hotpart_partition_demand{table="events",pk="EVENTS",operation="read"}' 618.5
expect 'hotpart_partition_units{operation="write",pk="\\x22quoted\\x22 \\x5C {a=\\x22b\\x22}\\x0A\\x1B[31m\\xFF"}' 1
expect 'hotpart_records_total' 2
expect 'hotpart_throttles_total{reason="key_range"}' 1
echo 'metrics: promtool accepts them, and Prometheus answers with what was recorded'
