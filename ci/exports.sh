#!/usr/bin/env bash
# Proves that the shared library exports exactly what the header declares, and is named and linked as build.rs says:
# SONAME libhotpart.so.0, never unmapped; and that the header has the layouts, values and types that abi/hotpart.c fixes.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need nm readelf || exit 0

make --no-print-directory library
library=${CARGO_TARGET_DIR:-target}/release/libhotpart.so

# The preprocessor takes the comments out.
declared=$("${CC:-cc}" -E -P include/hotpart.h | grep -oE '\bhpd_[a-z_]+ *\(' | tr -d ' (' | sort -u)
exported=$(nm -D --defined-only "$library" | awk '{print $NF}' | sort -u)
diff <(echo "$declared") <(echo "$exported") || {
    echo 'declared (<) and exported (>) functions differ' >&2
    exit 1
}
"${CC:-cc}" -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only abi/hotpart.c
dynamic=$(readelf -d "$library")
grep -q 'SONAME.*\[libhotpart\.so\.0\]' <<<"$dynamic"
grep -q 'NODELETE' <<<"$dynamic"
echo "exports: $(wc -l <<<"$exported") functions, those of the header; libhotpart.so.0, NODELETE"
