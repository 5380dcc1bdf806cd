#!/usr/bin/env bash
# Proves that deploy/sql says what the command says: on DuckDB and on a local Spark, of a synthetic trace and of the acceptance trace.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need cargo python3 java make || exit 0
work=$PWD/build/sql
mkdir -p "$work"
[[ -x $work/python/bin/python ]] || python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check -r cli/tests/sql/requirements.txt
cargo build --quiet --locked --package hotpart-cli
make --no-print-directory build >/dev/null
build/cc/synthesize >"$work/synthetic.csv"
logs=("$work/synthetic.csv")
if [[ -n ${HOTPART_TRACE:-} ]]; then logs+=("$HOTPART_TRACE"); else echo 'skipped: the acceptance trace: HOTPART_TRACE names none'; fi
"$work/python/bin/python" cli/tests/sql/check.py "${CARGO_TARGET_DIR:-target}/debug/hotpart" "${logs[@]}"
