#!/usr/bin/env bash
# Proves, as far as can be proved away from a forge, that its workflow files are right: by their linter.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need go || exit 0
[[ -x build/go/bin/actionlint ]] || GOBIN=$PWD/build/go/bin go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
build/go/bin/actionlint
echo "workflows: actionlint $(build/go/bin/actionlint -version | head -1) has nothing to say"
