#!/usr/bin/env bash
# Proves the rules of deploy/prometheus by promtool's tests; then puts faults in a copy of them, one at a
# time, and proves that the tests fail for each.
set -euo pipefail
cd "$(dirname "$0")/../deploy/prometheus"
source ../../ci/need.sh
need promtool perl || exit 0

promtool check config scrape.yml
promtool test rules hotpart-fleet.tests.yml

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
rules=hotpart-fleet.rules.yml
cp hotpart-fleet.tests.yml "$copy/"
survivors=0

# mutate NAME OLD NEW: with NEW for OLD, which is there once, the rules are rules still, and a test fails.
mutate() {
    local name=$1
    old=$2 new=$3 perl -0 -pe 'BEGIN { ($o, $n) = @ENV{"old", "new"} } $found += s/\Q$o\E/$n/g; END { exit($found != 1) }' \
        $rules >"$copy/$rules" || {
        echo "failed: $rules has not once: $2" >&2
        exit 1
    }
    promtool check rules "$copy/$rules" >"$copy/log" || {
        cat "$copy/log" >&2
        exit 1
    }
    if promtool test rules "$copy/hotpart-fleet.tests.yml" >"$copy/log" 2>&1; then
        echo "survived: $name"
        survivors=$((survivors + 1))
    else
        echo "caught: $name"
    fi
}

mutate 'the threshold itself is not hot' ':most
          >= on (table, operation)' ':most
          > on (table, operation)'
mutate 'who could have the threshold itself blinds nobody' ':most
          >= on (operation)' ':most
          > on (operation)'
mutate 'a process that is down is known for a minute' '(hotpart_records_total[1h])' '(hotpart_records_total[1m])'
mutate 'a process that is down is known for two hours' '(hotpart_records_total[1h])' '(hotpart_records_total[2h])'
mutate 'another limit of reads' '3000 * fleet' '2000 * fleet'
mutate 'another limit of writes' '1000 * fleet' '2000 * fleet'
mutate 'another threshold of reads' '2400 * fleet' '2500 * fleet'
mutate 'what is carried is in the lower bound' \
    '(hotpart_partition_demand - hotpart_partition_carried)' '(hotpart_partition_demand + 0 * hotpart_partition_carried)'
mutate 'who lists a partition has what is not listed besides' \
    '(table, pk) group_left () hotpart_partition_unlisted_most' '(table, pk) group_left () (0 * hotpart_partition_unlisted_most)'
mutate 'unread parts are no matter' 'increase(hotpart_unread_total[5m])' '0 * increase(hotpart_unread_total[5m])'
mutate 'unread parts of long ago' 'increase(hotpart_unread_total[5m])' 'hotpart_unread_total'
mutate 'unread parts blind for an hour' '(hotpart_unread_total[5m])' '(hotpart_unread_total[1h])'
mutate 'another reason is a partition too' '{reason="key_range"}' ''

if ((survivors > 0)); then
    echo "failed: $survivors survived" >&2
    exit 1
fi
