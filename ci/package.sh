#!/usr/bin/env bash
# Proves `make install`: it builds nothing after `make`; into a temporary prefix, by DESTDIR, and into other places than usual;
# there the examples are built by pkg-config and by CMake, shared and static, and run; the libraries have no paths of this machine;
# `make uninstall` leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
# Whoever has it set gets no library with paths in it.
export CARGO_ENCODED_RUSTFLAGS=--cfg=theirs
need cargo cc make cmake pkg-config strip || exit 0

examples=(basic callback observe threads)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run shared|static DIRECTORY: runs the examples there that are called so, and are linked so: to the shared library by its SONAME,
# which the next compatible version will have too.
run() {
    local example needed
    for example in "${examples[@]/#/$2/$1-}"; do
        "$example" >"$work/out" 2>&1 || {
            cat "$work/out" >&2
            exit 1
        }
        needed=$(readelf -d "$example" | sed -n 's/.*NEEDED.*\[\(.*hotpart.*\)\]/\1/p')
        [[ $1/$needed == shared/libhotpart.so.0 || $1/$needed == static/ ]] || {
            echo "failed: $example is not $1: it needs '$needed'" >&2
            exit 1
        }
    done
}

prefix=$work/prefix
# As by `sudo`, whose environment is not the user's, and has no cargo; by a root that keeps what it makes from others.
{
    make --no-print-directory &&
        (umask 077 && env -i PATH="$PATH" make --no-print-directory install PREFIX="$prefix" CARGO=false)
} >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
}
grep -q 'ldconfig' "$work/log"
hidden=$(find "$prefix" -type f ! -perm -444 -o -type d ! -perm -555)
[[ -z $hidden ]] || {
    echo "failed: make install keeps from others: $hidden" >&2
    exit 1
}
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig

read -ra cflags <<<"$(pkg-config --cflags hotpart)"
read -ra shared <<<"$(pkg-config --libs hotpart)"
read -ra private <<<"$(pkg-config --static --libs-only-l hotpart)"
mkdir "$work"/{built,full}
for example in "${examples[@]}"; do
    cc "${cflags[@]}" "c_examples/$example.c" "${shared[@]}" -pthread -o "$work/built/shared-$example"
    cc "${cflags[@]}" "c_examples/$example.c" "$prefix/lib/libhotpart.a" "${private[@]:1}" -pthread -o "$work/built/static-$example"
done
LD_LIBRARY_PATH=$prefix/lib run shared "$work/built"
run static "$work/built"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
[[ $(pkg-config --modversion hotpart) == "$version" ]]
echo "pkg-config: shared and static, hotpart $version"

# With the C library too, where the system has it so.
read -ra full <<<"$(pkg-config --static --libs hotpart)"
if cc -static -xc - -o "$work/empty" <<<'int main(void) { return 0; }' 2>/dev/null; then
    for example in "${examples[@]}"; do
        cc -static "${cflags[@]}" "c_examples/$example.c" "${full[@]}" -pthread -o "$work/full/static-$example"
    done
    run static "$work/full"
    echo "pkg-config: -static"
else
    skip "there is no static C library"
fi

# installed NAME LIBRARIES VARIABLE...: installs by these variables below $work/NAME, where CMake, which enters by LIBRARIES, finds
# all that the examples need; `make uninstall` leaves nothing behind.
installed() {
    local left root=$work/$1
    make --no-print-directory install "${@:3}" >/dev/null 2>&1
    grep -qx "prefix=${3#PREFIX=}" "$root/$2/pkgconfig/hotpart.pc"
    cmake -S tests/cmake -B "$work/cmake/$1" -Dhotpart_DIR="$root/$2/cmake/hotpart" >/dev/null
    cmake --build "$work/cmake/$1" >/dev/null
    run shared "$work/cmake/$1"
    run static "$work/cmake/$1"
    make --no-print-directory uninstall "${@:3}" >/dev/null 2>&1
    left=$(find "$root" -type f -o -xtype l)
    [[ -z $left ]] || {
        echo "failed: make uninstall leaves $left" >&2
        exit 1
    }
}
# As a package is made: for one place, put in another.
installed moved usr/lib PREFIX=/usr DESTDIR="$work/moved"
[[ $(ls "$work/moved") == usr ]]
# For several architectures, and where not all is below the prefix; without the example that takes a second.
examples=(basic callback observe)
installed multiarch usr/lib/x86_64-linux-gnu PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu DESTDIR="$work/multiarch"
installed apart-moved usr/lib64 PREFIX=/opt LIBDIR=/usr/lib64 INCLUDEDIR=/usr/local/include DESTDIR="$work/apart-moved"
installed apart lib64 PREFIX="$work/apart/opt" LIBDIR="$work/apart/lib64"
# Where /lib is a link to /usr/lib, moved; and where both are links, from which nothing can be told.
mkdir -p "$work"/{merged,linked/{elsewhere,usr}}
ln -s usr/lib "$work/merged/lib"
installed merged lib PREFIX=/usr DESTDIR="$work/merged"
ln -s elsewhere "$work/linked/lib"
ln -s ../elsewhere "$work/linked/usr/lib"
installed linked lib PREFIX="$work/linked/usr"

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
    cmake -S "$work/version" -B "$work/cmake-version" -DCMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1
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
