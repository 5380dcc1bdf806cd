#!/usr/bin/env bash
# Usage: ci/replay.sh BUILD. Proves that BUILD/replay names the line and the fault of a malformed trace, takes what
# is merely odd, prints log lines that can't break a log, and prints the same every time.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
header='time_ms,operation,table,pk\n'

fail() {
    echo "replay: $*" >&2
    exit 1
}

# expect STATUS TEXT TRACE [OPTION...]: the exit status and all that is printed for a trace in printf's notation.
expect() {
    local status=$1 text=$2 trace=$3 actual=0 printed
    shift 3
    # shellcheck disable=SC2059
    printed=$(printf "$trace" | "$build/replay" --window 10 --writes 2 --reads 2 "$@" 2>&1) || actual=$?
    [[ $actual == "$status" ]] || fail "status $actual, not $status, for: $trace"
    [[ $printed == *"$text"* ]] || fail "no '$text' for: $trace"$'\n'"$printed"
}

x() { printf 'x%.0s' $(seq "$1"); }

expect 1 'line 1: the first line is not time_ms,operation,table,pk' ''
expect 1 'line 1: the first line is not' '0,write,t,k\n'
expect 1 'line 3: not four columns' "${header}0,write,t,k\n0,write,t\n"
expect 1 'line 2: not four columns' "${header}0,write,t,k,\n"
expect 1 'line 2: not four columns' "$header\n"
for time in '' -1 +1 1.5 ' 1' 0x1; do
    expect 1 'line 2: time_ms is not a number' "$header$time,write,t,k\n"
done
expect 1 'line 2: time_ms is past 4294967295999' "${header}4294967296000,write,t,k\n"
expect 1 'line 2: time_ms is past 4294967295999' "${header}99999999999999999999999,write,t,k\n"
expect 1 'line 3: time_ms runs back' "${header}5,write,t,k\n4,write,t,k\n"
expect 1 'line 2: operation is neither write nor read' "${header}0,writes,t,k\n"
expect 1 'line 2: operation is neither write nor read' "${header}0,,t,k\n"
expect 1 'line 2: table is empty' "${header}0,write,,k\n"
expect 1 'line 2: table has more than 1024 bytes' "${header}0,write,$(x 1025),k\n"
expect 1 'line 2: pk has more than 16384 bytes' "${header}0,write,t,$(x 16385)\n"
expect 1 'line 2: the line is too long' "${header}0,write,t,$(x 20001)\n"
expect 1 'line 2: a NUL byte' "${header}0,write,t,a\\0b\n"

expect 0 '0 records, 0 partitions, 0 warnings' "$header"
expect 0 '2 records, 1 partitions, 1 warnings' 'time_ms,operation,table,pk\r\n0,read,t,k\r\n0,read,t,k\r\n'
expect 0 '1 records' "${header}0,read,t,k" # the last line without its newline
expect 0 '1 records' "${header}4294967295999,write,$(x 1024),$(x 16384)\n"
expect 0 '12.045s Hot partition detected - table="t" pk="" had 2 writes in 10s' \
    "${header}12045,write,t,\n12045,write,t,\n"

hot() { expect 0 "pk=\"$2\" had 2 reads" "${header}0,read,t,$1\n0,read,t,$1\n"; }
hot '"\\' '\x22\x5C'
hot '\x1b[31m\xff\xc3\xa9\xc2\x9b\x7f' '\x1B[31m\xFFé\xC2\x9B\x7F'
hot '\xc3' '\xC3'                          # cut short
hot '\xe2\x82' '\xE2\x82'                  # the same
hot '\xc0\x80' '\xC0\x80'                  # overlong
hot '\xed\xa0\x80' '\xED\xA0\x80'          # a surrogate
hot '\xf4\x90\x80\x80' '\xF4\x90\x80\x80'  # past the last character
hot '\xe2\x82\xac\xf0\x9f\x94\xa5' '€🔥'

expect 0 '0 warnings' "${header}0,write,t,k\n0,write,t,k\n" --table-writes t=3
expect 0 '1 warnings' "${header}0,write,t,k\n0,write,t,k\n" --table-writes u=3
expect 0 '2 warnings' "${header}0,write,t,k\n0,read,t,k\n" --table-writes t=1 --table-reads t=1
expect 2 'usage:' "$header" --windows 5
expect 2 'usage:' "$header" --counts
expect 2 'usage:' "$header" --window 0
expect 2 'usage:' "$header" --reads -1
expect 2 'usage:' "$header" --table-writes t
expect 2 'usage:' "$header" --table-reads =5

trace=$(mktemp)
trap 'rm -f "$trace"' EXIT
"$build/synthesize" 7 >"$trace"
cmp "$trace" <("$build/synthesize" 7) || fail 'the synthetic trace differs for the same seed'
cmp <("$build/replay" --window 10 --writes 100 --reads 150 <"$trace") \
    <("$build/replay" --window 10 --writes 100 --reads 150 <"$trace") || fail 'two replays differ'
echo "$build/replay: faults are named, odd traces taken, replays the same"
