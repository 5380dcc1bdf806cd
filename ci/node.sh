#!/usr/bin/env bash
# Proves the Node package: its types, the real AWS SDK against emulators and a server that answers what none of them does,
# OpenTelemetry's SDK with a real collector, the scenarios that all languages share, and the packed package in an empty
# project. A record's cost is told, not judged.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need node npm python3 cargo cc || exit 0
source ci/emulators.sh
source ci/collector.sh
source ci/command.sh

cd bindings/node
# Without install scripts: none is needed.
npm ci --silent --ignore-scripts --no-audit --no-fund
npx prettier --log-level warn --check .
# For the flags that somebody has in his configuration cargo ignores some others: not those by which the package is built.
host=$(rustc -vV | sed -n 's/^host: //p' | tr a-z- A-Z_)
export "CARGO_TARGET_${host}_RUSTFLAGS=--cfg=theirs"
NODE_NO_WARNINGS=1 npm test --silent
../../ci/paths.sh "$PWD"/native/*/*
# By the releases after the oldest that is supported, which npm has too; in short the newest.
versions=(22.23.3 24.21.0)
[[ ${QUICK:-} == true ]] && versions=(24.21.0)
for version in "${versions[@]}"; do
    newer=../../build/node/$version
    [[ -x $newer/node_modules/node/bin/node ]] || npm install --silent --no-audit --no-fund --prefix "$newer" "node@$version"
    node=$(realpath "$newer/node_modules/node/bin/node")
    echo "Node $("$node" --version)"
    PATH=$(dirname "$node"):$PATH NODE_NO_WARNINGS=1 "$node" --test --test-reporter=dot test/*.test.mjs
done
# What its README says to do first, to the letter but for where the project is.
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
echo '{ "private": true }' >"$project/package.json"
sed -n '/^```sh$/,/^```$/p' README.md | sed '/^```$/q' | sed "/^\`\`\`/d; s#\.\./project#$project#" >"$project/install.sh"
(cd ../.. && bash -e "$project/install.sh" >"$project/log" 2>&1) || {
    cat "$project/log" >&2
    exit 1
}
rm ../../hotpart-*.tgz
(cd "$project" && node -e "new (require('hotpart').HotPartitionDetector)({ writesThreshold: 1, readsThreshold: 1, windowSeconds: 1 })")
npm run --silent bench
