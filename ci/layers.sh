#!/usr/bin/env bash
# layers.sh [SOURCES]: proves that imports in src/ (or in SOURCES) run one way: from a folder to those below it, and between
# files in no circle; that it sees what is planted, too. Tests and models may import everything.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need perl tsort || exit 0
export LC_ALL=C

# Lowest first. Folders on one line do not know each other.
layers='argument error operation reason statistics units
sys
key
partition
policy map filter
ledger dynamodb
detector
ffi'
# "FROM TO": a folder that is below, but none of its business.
apart='dynamodb partition
dynamodb policy
dynamodb map'

# imports SOURCES: "FILE IMPORTED" for each path of a file that begins with crate, wherever it stands, through what lib.rs
# exports. Comments and the tests at a file's end are left out.
imports() {
    (cd "$1" && find . -name '*.rs' ! -name tests.rs ! -path './models*' ! -name lib.rs | sed 's,^\./,,' | sort) | perl -e '
        my $sources = shift;
        sub code {
            open(my $in, "<", "$sources/$_[0]") or die "$_[0]: $!";
            local $/;
            my $code = <$in>;
            $code =~ s,(^|\s)//.*,$1,gm;
            $code =~ s,^#\[cfg\([^\n]*\btest\b[^\n]*\n(#[^\n]*\n)*mod tests \{.*,,sm;
            return $code;
        }
        # Paths without braces: a::{b, c::{d, self}} is a::b a::c::d a::c.
        sub flat {
            my $code = shift;
            $code =~ s/\s+as\s+\w+//g;
            1 while $code =~ s{([\w:]+)::\s*\{([^{}]*)\}}{
                my $prefix = $1;
                join " ", map { s/^\s+|\s+$//g; $_ eq "self" ? $prefix : "${prefix}::$_" } grep { /\S/ } split /,/, $2
            }ge;
            return $code;
        }
        my %exported;
        for (flat(code("lib.rs")) =~ /\bpub use ([^;]*);/g) {
            s/[{},]/ /g;
            for my $path (split) { $exported{$1} = "crate::$path" if $path =~ /::(\w+)$/ }
        }
        while (my $file = <STDIN>) {
            chomp $file;
            my $code = code($file);
            print "$file root\n" if $code =~ /\b(super|self)::/ || $code =~ /\bcrate::\s*\{[^}]*\bself\b/;
            for my $path (flat($code) =~ /\bcrate((?:::\w+)+)/g) {
                my ($first) = $path =~ /^::(\w+)/;
                $path = substr($exported{$first}, 5) if $exported{$first};
                (my $at = substr $path, 2) =~ s,::,/,g;
                while ($at ne "") {
                    my ($found) = grep { -f "$sources/$_" } "$at.rs", "$at/mod.rs";
                    if ($found) { print "$file $found\n" if $found ne $file; last }
                    last unless $at =~ s,/?[^/]+$,,;
                }
            }
        }
    ' "$1" | sort -u
}

# check SOURCES: whether imports run one way there; if not, says which do not.
check() {
    local found circles
    found=$(imports "$1")
    awk -v layers="$layers" -v apart="$apart" '
        function folder(file) { sub(/[\/.].*/, "", file); return file }
        BEGIN {
            lines = split(layers, line, "\n")
            for (i = 1; i <= lines; i++) {
                rooms = split(line[i], room, " ")
                for (j = 1; j <= rooms; j++) level[room[j]] = i
            }
        }
        BEGIN { pairs = split(apart, pair, "\n"); for (i = 1; i <= pairs; i++) strange[pair[i]] }
        $2 == "root" { print $1 " names super, self or all of crate: name the module by its path"; failed = 1; next }
        {
            from = folder($1); to = folder($2)
            if (!(from in level) || !(to in level)) { print "no layer: " $0; failed = 1 }
            else if ((from " " to) in strange || from != to && level[from] <= level[to] && level[to] > 1) { print "not below it: " $1 " imports " $2; failed = 1 }
        }
        END { exit failed }
    ' <<<"$found" || return 1
    if ! circles=$(tsort <<<"$found" 2>&1 >/dev/null); then
        echo "files import each other in a circle:"
        echo "$circles"
        return 1
    fi
    echo "$(wc -l <<<"$found") imports between files"
}

if ! check "${1:-src}"; then
    echo "failed: the order of the layers is in ci/layers.sh and DESIGN.md" >&2
    exit 1
fi

# planted FILE LINE: with LINE before the first line of code of a copy of FILE, the check must fail.
planted() {
    cp "src/$1" "$copy/$1"
    awk -v line="$2" '!done && /^(use|mod|pub|const|static|#)/ { print line; done = 1 } { print }' "src/$1" >"$copy/$1"
    if check "$copy" >/dev/null; then
        echo "failed: not seen in $1: $2" >&2
        exit 1
    fi
    cp "src/$1" "$copy/$1"
}

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r src/. "$copy"
planted ledger/mod.rs 'use crate::detector::Detector;'
planted ledger/mod.rs 'use crate::Detector;'
planted sys/rcu.rs 'use crate::{Error, Thresholds};'
planted sys/rcu.rs 'use crate::{key::{hash::Hash, Key}};'
planted ledger/mod.rs 'use crate::{self as all};'
planted ledger/reclaim.rs 'use super::super::detector::Detector;'
planted ledger/settings.rs 'use self::reclaim::Reclaimer;'
planted ledger/settings.rs 'use crate::ledger::reclaim::Reclaimer;'
planted sys/memory.rs 'fn planted(_: &crate::map::PartitionMap) {}'
planted dynamodb/partiql/mod.rs 'type Planted = (&str, crate::map::PartitionMap); const URL: &str = "http://";'
planted map/mod.rs 'use crate::policy::thresholds::Thresholds;'
echo "imports run one way, and eleven that do not were seen"
