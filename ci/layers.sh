#!/usr/bin/env bash
# Proves that imports in src/ run one way: from a folder to those below it, and between files in no circle. Tests and
# models may import everything.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

# Lowest first. Folders on one line do not know each other.
layers='argument error operation reason statistics units
sys
key
partition
policy map
ledger dynamodb
detector
ffi'

# Circles that DESIGN.md names, with the reason, under "Layers": pairs "FILE FILE" whose import is left out.
known=''

# The file of the longest module path, "crate::map::segment::Segment" for example, that has one.
file_of() {
    local path=src/${1#crate::}
    path=${path//:://}
    while [[ $path == src/* ]]; do
        [[ -f $path.rs ]] && echo "$path.rs" && return
        [[ -f $path/mod.rs ]] && echo "$path/mod.rs" && return
        path=${path%/*}
    done
}

imports=$(mktemp)
trap 'rm -f "$imports"' EXIT
find src -name '*.rs' ! -name tests.rs ! -path 'src/models*' ! -path src/lib.rs | sort | while read -r file; do
    # Up to the file's own tests, without comments; one path for each name of an import's braces.
    sed -n '/^#\[cfg(\(all(\)\?test/q; s,//.*,,; p' "$file" | tr '\n' ' ' |
        grep -oE 'crate::[a-z_0-9]+(::[a-z_0-9]+)*(::\{[^}]*\})?' |
        awk -F'::[{]' '{
            print $1
            names = split($2, name, /[ ,}]+/)
            for (i = 1; i <= names; i++) if (name[i] ~ /^[a-z]/ && name[i] != "self") print $1 "::" name[i]
        }' | sort -u | while read -r path; do
            imported=$(file_of "$path")
            [[ -z $imported || $imported == "$file" ]] || echo "$file $imported"
        done || true
done | sort -u >"$imports"

awk -v layers="$layers" '
    function folder(file) { sub(/^src\//, "", file); sub(/[\/.].*/, "", file); return file }
    BEGIN {
        lines = split(layers, line, "\n")
        for (i = 1; i <= lines; i++) {
            rooms = split(line[i], room, " ")
            for (j = 1; j <= rooms; j++) level[room[j]] = i
        }
    }
    {
        from = folder($1); to = folder($2); count++
        if (!(from in level) || !(to in level)) { print "no layer: " $0; failed = 1 }
        else if (from != to && level[from] <= level[to] && level[to] > 1) { print "runs upwards: " $1 " imports " $2; failed = 1 }
    }
    END { print count " imports between files"; exit failed }
' "$imports" || { echo "failed: the order of the layers is in ci/layers.sh and DESIGN.md" >&2; exit 1; }

if ! circles=$(grep -vxF "$known" "$imports" | tsort 2>&1 >/dev/null); then
    echo "failed: files import each other in a circle:" >&2
    echo "$circles" >&2
    exit 1
fi
echo "imports run one way"
