#!/usr/bin/env bash
# Proves that the bindings have the constants, layouts and functions of include/hotpart.h: the files
# that bindings/generator writes are as they are committed. HOTPART_BLESS=1 (`make bindings`) writes
# them anew.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need python3 cc || exit 0
source ci/tools.sh
export PYTHONDONTWRITEBYTECODE=1
"$tools/ruff" check --quiet bindings/generator
"$tools/ruff" format --check --quiet bindings/generator
if [[ -n ${HOTPART_BLESS:-} ]]; then
    "$tools/python" bindings/generator
else
    "$tools/python" bindings/generator --check
    echo "bindings: they have what include/hotpart.h has"
fi
