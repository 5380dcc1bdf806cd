#!/usr/bin/env bash
# Proves that no call in benches/instructions.c executes over 10 % more instructions than benches/instructions.txt says.
# With HOTPART_BLESS=1 (make instructions) writes that file anew.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need valgrind gcc || exit 0

committed=benches/instructions.txt
program=build/gcc/instructions
now=$program.txt
log=$program.log
machine="# machine: $(uname -m)"
compiler="# compiler: $(rustc --version)"

if [[ -z ${HOTPART_BLESS:-} ]] && ! grep -qx "$machine" "$committed"; then
    # No tool is missing, so it is no failure in CI either.
    echo "skipped: $committed has no counts for $(uname -m)"
    exit 0
fi

# The calls' loops are counted with them, so they are compiled in one way.
make --no-print-directory "$program" CC=gcc CFLAGS='-O2 -g'

# total CASE ROUNDS: what a whole run executes.
total() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file="$log" "$program" "$@" || return
    grep -o 'Collected : [0-9]*' "$log" | grep -o '[0-9]*$'
}

# A round is 1,024 calls.
"$program" | while read -r name fewer more; do
    cost=$(($(total "$name" "$more") - $(total "$name" "$fewer")))
    awk -v name="$name" -v cost="$cost" -v rounds=$((more - fewer)) 'BEGIN { printf "%-35s %6.1f\n", name, cost / rounds / 1024 }'
done >"$now"

if [[ -n ${HOTPART_BLESS:-} ]]; then
    {
        echo '# Instructions that a call executes, its loop in benches/instructions.c included: what callgrind counts and'
        echo '# ci/instructions.sh compares. make instructions writes this file anew; another compiler may be a reason to.'
        echo "$machine"
        echo "$compiler"
        cat "$now"
    } >"$committed"
fi

awk '
    /^#/ { next }
    NR == FNR { committed[$1] = $2; next }
    FNR == 1 { printf "%-35s %9s %6s %7s\n", "instructions for one call", "committed", "now", "change" }
    !($1 in committed) { print $1 ": no committed figure"; failed = 1; next }
    {
        change = ($2 / committed[$1] - 1) * 100
        verdict = ""
        if (change > 10) { verdict = "  too many"; failed = 1 }
        if (change < -10) verdict = "  fewer: commit what make instructions writes"
        printf "%-35s %9.1f %6.1f %+6.1f%%%s\n", $1, committed[$1], $2, change, verdict
        delete committed[$1]
    }
    END {
        for (name in committed) { print name ": committed, but no case"; failed = 1 }
        exit failed
    }
' "$committed" "$now" || {
    echo "failed: over 10 % more than $committed says, or other cases; if so it must be: make instructions" >&2
    echo "committed with $(sed -n 's/^# compiler: //p' "$committed"), now ${compiler#\# compiler: }" >&2
    exit 1
}
