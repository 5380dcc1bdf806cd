#!/usr/bin/env bash
# Installs what the tests need beyond Rust, on Debian and its kin: two C compilers, make, nm and readelf, valgrind.
set -euo pipefail
missing=()
for tool in gcc:gcc g++:g++ clang:clang make:make readelf:binutils valgrind:valgrind; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0
sudo=$([[ $(id -u) -eq 0 ]] || echo sudo)
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"
