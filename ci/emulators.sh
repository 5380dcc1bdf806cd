#!/usr/bin/env bash
# Proves, through the real boto3, that what is observed is what was sent: against the emulators dynalite, dynoxide and moto on
# loopback, and a server that answers what none of them does. They are put under build/emulators.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need python3 npm cargo || exit 0

make --no-print-directory library
build=$PWD/build/emulators
tests=tests/emulators
mkdir -p "$build"

[[ -x $build/venv/bin/python ]] || python3 -m venv "$build/venv"
"$build/venv/bin/pip" install --quiet --disable-pip-version-check -r "$tests/requirements.txt"

cp "$tests/package.json" "$tests/package-lock.json" "$build/"
npm ci --prefix "$build" --silent --no-audit --no-fund

# Unoptimised: it is built far sooner, and fast enough.
cargo install --quiet --locked --debug --root "$build" --target-dir "$build/target" \
    --no-default-features --features native-sqlite,http-server,cli dynoxide-rs --version 3.2.0

HOTPART_LIBRARY=$(realpath "${CARGO_TARGET_DIR:-target}/release/libhotpart.so") \
    DYNALITE=$build/node_modules/.bin/dynalite DYNOXIDE=$build/bin/dynoxide PYTHONDONTWRITEBYTECODE=1 \
    "$build/venv/bin/python" -m pytest --quiet --tb=short -p no:cacheprovider "$tests" "$@"
