#!/usr/bin/env bash
# Proves that the header and the C programs are clean C99, and what is to be copied clean C++11 too, for gcc and
# clang; that the programs hold what they check, and the README's is one; and that replay tells what is wrong with a trace.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh

header() {
    echo '#include "hotpart.h"' | "$1" -x "$2" "-std=$3" -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only -
}

compiler() {
    local cc=$1 cxx=$2 build=build/$1 example
    need "$cc" "$cxx" || return 0
    header "$cc" c c99
    header "$cc" c c17
    header "$cxx" c++ c++11
    header "$cxx" c++ c++17
    # From scratch: a warning is only seen when something is compiled.
    rm -rf "$build"
    make --no-print-directory c-test CC="$cc" CFLAGS='-O2 -g -Werror'
    for example in basic callback; do
        "$cxx" -x c++ -std=c++11 -pedantic -Wall -Wextra -Werror -Iinclude "c_examples/$example.c" -x none \
            -L"$target" -lhotpart -Wl,-rpath,"$target" -o "$build/$example-c++"
        "$build/$example-c++" >/dev/null
    done
    sed -n '/^```c$/,/^```$/{/^```/d;p}' README.md >"$build/readme.c"
    "$cc" -std=c99 -pedantic -Wall -Wextra -Werror -Iinclude "$build/readme.c" -L"$target" -lhotpart \
        -Wl,-rpath,"$target" -o "$build/readme"
    "$build/readme"
    ci/replay.sh "$build"
}

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/release
compiler gcc g++
compiler clang clang++
