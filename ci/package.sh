#!/usr/bin/env bash
# Proves `make install`: it builds nothing after `make`; into a temporary prefix, and by DESTDIR; there the examples are built by
# pkg-config and by CMake, shared and static, and run; the libraries have no paths of this machine; `make uninstall` leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need cargo cc make cmake pkg-config strip || exit 0

examples=(basic callback observe threads)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run shared|static DIRECTORY: runs the examples that were built there, which are linked so: to the shared library by its SONAME, which
# the next compatible version will have too.
run() {
    local example needed
    for example in "${examples[@]}"; do
        "$2/$example" >"$work/out" 2>&1 || {
            cat "$work/out" >&2
            exit 1
        }
        needed=$(readelf -d "$2/$example" | sed -n 's/.*NEEDED.*\[\(.*hotpart.*\)\]/\1/p')
        [[ $1/$needed == shared/libhotpart.so.0 || $1/$needed == static/ ]] || {
            echo "failed: $2/$example is not $1: it needs '$needed'" >&2
            exit 1
        }
    done
}

prefix=$work/prefix
# As by `sudo`, whose environment is not the user's, and has no cargo.
{ make --no-print-directory && env -i PATH="$PATH" make --no-print-directory install PREFIX="$prefix" CARGO=false; } >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
}
grep -q 'ldconfig' "$work/log"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig

read -ra cflags <<<"$(pkg-config --cflags hotpart)"
read -ra shared <<<"$(pkg-config --libs hotpart)"
read -ra private <<<"$(pkg-config --static --libs-only-l hotpart)"
mkdir "$work"/{shared,static,full}
for example in "${examples[@]}"; do
    cc "${cflags[@]}" "c_examples/$example.c" "${shared[@]}" -pthread -o "$work/shared/$example"
    cc "${cflags[@]}" "c_examples/$example.c" "$prefix/lib/libhotpart.a" "${private[@]:1}" -pthread -o "$work/static/$example"
done
LD_LIBRARY_PATH=$prefix/lib run shared "$work/shared"
run static "$work/static"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
[[ $(pkg-config --modversion hotpart) == "$version" ]]
echo "pkg-config: shared and static, hotpart $version"

# With the C library too, where the system has it so.
read -ra full <<<"$(pkg-config --static --libs hotpart)"
if cc -static -xc - -o "$work/empty" <<<'int main(void) { return 0; }' 2>/dev/null; then
    for example in "${examples[@]}"; do
        cc -static "${cflags[@]}" "c_examples/$example.c" "${full[@]}" -pthread -o "$work/full/$example"
    done
    run static "$work/full"
    echo "pkg-config: -static"
else
    skip "there is no static C library"
fi

# As a package is made: for one place, put in another; which CMake must find where it lies.
make --no-print-directory install PREFIX=/usr DESTDIR="$work/root" >/dev/null 2>&1
[[ $(find "$work/root" -mindepth 1 -maxdepth 1) == "$work/root/usr" ]]
grep -q '^prefix=/usr$' "$work/root/usr/lib/pkgconfig/hotpart.pc"
for kind in shared static; do
    cmake -S tests/cmake -B "$work/cmake-$kind" -DKIND=$kind -DCMAKE_PREFIX_PATH="$work/root/usr" >/dev/null
    cmake --build "$work/cmake-$kind" >/dev/null
    run $kind "$work/cmake-$kind"
done
# found VERSION: whether CMake takes what is installed for it; in a project that has no language, of whose scope it changes nothing.
mkdir "$work/version"
found() {
    cat >"$work/version/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.13)
project(version NONE)
get_cmake_property(before VARIABLES)
find_package(hotpart $1 REQUIRED)
get_cmake_property(after VARIABLES)
list(FILTER after EXCLUDE REGEX "^(hotpart_|before$)")
list(REMOVE_ITEM after \${before})
if(after)
  message(FATAL_ERROR "left: \${after}")
endif()
CMAKE
    cmake -S "$work/version" -B "$work/cmake-version" -DCMAKE_PREFIX_PATH="$work/root/usr" >"$work/log" 2>&1
}
# Those of the same major version, 0 included, that are not newer: within it the C ABI only grows.
major=${version%%.*}
for older in '' "$version" "${version%.*}" "$major.0" "$major"; do
    found "$older" || {
        cat "$work/log" >&2
        exit 1
    }
done
for other in "$version.1" "$major.99" "$((major + 1)).0"; do
    if found "$other"; then exit 1; fi
done
echo "CMake: shared and static, for versions of this major one that are not newer"

library=$(realpath "$prefix/lib/libhotpart.so")
ci/paths.sh "$library" "$prefix/lib/libhotpart.a"
if readelf -S "$library" | grep -q '\.debug_\|\.symtab'; then exit 1; fi
echo "sizes: ${library##*/} $(stat -c %s "$library") bytes, libhotpart.a $(stat -c %s "$prefix/lib/libhotpart.a")"

make --no-print-directory uninstall PREFIX="$prefix" >/dev/null 2>&1
make --no-print-directory uninstall PREFIX=/usr DESTDIR="$work/root" >/dev/null 2>&1
left=$(find "$prefix" "$work/root" -type f -o -type l)
[[ -z $left ]] || {
    echo "failed: make uninstall leaves $left" >&2
    exit 1
}
