#!/usr/bin/env bash
# Installs what the tests need beyond Rust and Go, on Debian and its kin: two C compilers, make, CMake, pkg-config, nm and
# readelf, valgrind, Python and Node for the emulators, Prometheus, tmux.
set -euo pipefail
missing=()
for tool in gcc:gcc g++:g++ clang:clang make:make cmake:cmake pkg-config:pkgconf readelf:binutils valgrind:valgrind python3:python3 npm:npm prometheus:prometheus curl:curl tmux:tmux; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
done
# Debian has it in a package of its own.
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
# Where it is not Debian's it has another name (ci/browser.sh).
command -v chromium chromium-browser google-chrome >/dev/null || missing+=(chromium)
[[ ${#missing[@]} -eq 0 ]] && exit 0
sudo=$([[ $(id -u) -eq 0 ]] || echo sudo)
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"
