#!/usr/bin/env bash
# Proves the Node package: its types, the real AWS SDK against emulators and a server that answers what none of them does, the
# scenarios that all languages share, and the packed package in an empty project. A record's cost is told, not judged.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need node npm python3 cargo cc || exit 0
source ci/emulators.sh

cd bindings/node
# Without install scripts: none is needed.
npm ci --silent --ignore-scripts --no-audit --no-fund
npx prettier --log-level warn --check .
NODE_NO_WARNINGS=1 npm test --silent
npm run --silent bench
