#!/usr/bin/env bash
# Proves the heat map's page in a real Chromium: hover, zoom, keyboard, a partition's line, the table, both themes, no error and no
# request. Then that the committed bundle of its charts, and the font of its pictures, are what cli/heatmap-page makes.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh

# The first of the names that it goes by.
browser() {
    local name
    for name in chromium chromium-browser google-chrome; do
        type -P "$name" && return
    done
    return 1
}
need node npm cargo || exit 0
if ! CHROMIUM=$(browser); then
    skip "Chromium is not installed; ci/install.sh installs Debian's"
    exit 0
fi
export CHROMIUM BUILD=$PWD/build/browser
mkdir -p "$BUILD"

# Without install scripts: none is needed.
for package in cli/heatmap-page cli/tests/browser; do
    npm ci --silent --ignore-scripts --no-audit --no-fund --prefix "$package"
done

# Committed, so that nobody who installs the command needs Node.
node cli/heatmap-page/build.mjs "$BUILD/dist"
diff -r cli/heatmap-page/dist "$BUILD/dist" || {
    echo "failed: cli/heatmap-page/dist is not what \`npm run build\` makes there" >&2
    exit 1
}

# HOTPART: a command that is built already.
if [[ -z ${HOTPART:-} ]]; then
    cargo build --quiet --locked --package hotpart-cli
    HOTPART=$(realpath "${CARGO_TARGET_DIR:-target}")/debug/hotpart
fi
export HOTPART
node cli/tests/browser/hour.mjs "$BUILD/hour.csv"
"$HOTPART" heatmap --quiet --title "Launch night" -o "$BUILD/hour.html" "$BUILD/hour.csv"
node --test --test-reporter=spec cli/tests/browser/{heatmap,walk}.test.mjs
