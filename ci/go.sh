#!/usr/bin/env bash
# Proves the Go packages: they are formatted, vet and staticcheck have nothing to say, and their tests hold under the race
# detector, linked by pkg-config and statically; awsmiddleware's with the real SDK, against emulators of DynamoDB on loopback
# and a server that answers what none of them does; hotpartotel's with OpenTelemetry's SDK and a real collector. Then prints
# what a record costs beside its parts. All is put under build/go.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need go cc cargo make pkg-config python3 npm || exit 0

build=$PWD/build/go
make --no-print-directory library
source ci/emulators.sh
source ci/collector.sh
source ci/command.sh

export GOBIN=$build/bin GOFLAGS="${GOFLAGS:-} -modcacherw"
[[ -x $GOBIN/staticcheck ]] || go install honnef.co/go/tools/cmd/staticcheck@v0.8.2

# The library as it would be installed, at the place where it was built.
target=$(realpath "${CARGO_TARGET_DIR:-target}")/release
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
mkdir -p build/pkgconfig
sed "s|@PREFIX@|$PWD|; s|@LIBDIR@|$target|; s|@INCLUDEDIR@|$PWD/include|; s|@VERSION@|$version|; s|@PRIVATE@||" hotpart.pc.in >build/pkgconfig/hotpart.pc
export PKG_CONFIG_PATH=$PWD/build/pkgconfig LD_LIBRARY_PATH=$target${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
[[ $(pkg-config --modversion hotpart) == "$version" ]]

cd bindings/go
unformatted=$(gofmt -l .)
[[ -z $unformatted ]] || {
    echo "failed: gofmt would change $unformatted" >&2
    exit 1
}

# tests DIRECTORY NAME ARGUMENT...: runs a module's tests, and says how many there were.
tests() {
    local directory=$1 log=$build/$2.log
    shift 2
    (cd "$directory" && go test -race -count=1 -v "$@" ./...) >"$log" 2>&1 || {
        grep -vE '^ *(=== |--- PASS)' "$log" >&2
        exit 1
    }
    grep -E '^ok' "$log"
    echo "$(grep -cE '^ *--- PASS' "$log") tests passed, $(grep -cE '^ *--- SKIP' "$log" || true) skipped"
    sed -n 's/.*\(skipped: .*\)/\1/p' "$log" | sort -u
}

# OpenTelemetry's modules need a later Go than the others; without it there is no collector either.
modules=(. awsmiddleware)
[[ -z ${HOTPART_OTELCOL:-} ]] || modules+=(hotpartotel)
for module in "${modules[@]}"; do
    (cd "$module" && go vet ./... && "$GOBIN/staticcheck" ./... && go mod tidy -diff)
done
tests . pkg-config
tests awsmiddleware awsmiddleware
[[ -z ${HOTPART_OTELCOL:-} ]] || tests hotpartotel hotpartotel
# What the race detector would disturb.
(cd awsmiddleware && go vet -race ./... && go test -count=1 -run Allocates -v .) | grep -E '^ +overhead_test|^ok'

# From the repository's own target directory; and were the shared library needed, these could not start.
(cd ../.. && env -u CARGO_TARGET_DIR cargo rustc --quiet --release --locked --lib --crate-type cdylib,staticlib)
LD_LIBRARY_PATH='' tests . static -tags hotpart_static

# Without any shared library, by either way of linking.
for tags in '' hotpart_static; do
    LD_LIBRARY_PATH='' go test -count=1 -tags "$tags" -ldflags '-linkmode external -extldflags -static' .
done

# What is missing is all that is said: cgo is off by itself for another processor.
other=$([[ $(go env GOARCH) == arm64 ]] && echo amd64 || echo arm64)
for setting in CGO_ENABLED=0 GOARCH="$other"; do
    said=$(env -u CGO_ENABLED "$setting" go build . 2>&1 | grep -v '^#' || true)
    [[ $said == *"hotpart needs cgo: set CGO_ENABLED=1"* && $(wc -l <<<"$said") == 1 ]] || {
        echo "failed: $setting go build says: $said" >&2
        exit 1
    }
done

# What the README tells a newcomer to do, to the letter.
newcomer=$(mktemp -d)
trap 'rm -rf "$newcomer"' EXIT
sed -n "/^go mod /{s|CHECKOUT|$(cd ../.. && pwd)|; p}" README.md >"$newcomer/steps"
[[ $(wc -l <"$newcomer/steps") == 3 ]]
cat >"$newcomer/main.go" <<'END'
package main

import (
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
	"github.com/libhotpart/libhotpart/bindings/go/awsmiddleware"
)

func main() {
	detector, err := hotpart.New(hotpart.Config{WritesThreshold: 1, ReadsThreshold: 1, WindowSeconds: 60})
	if err != nil {
		panic(err)
	}
	awsmiddleware.Watch(detector)
	detector.RecordWrite("events", "EVENTS")
}
END
(cd "$newcomer" && go mod init example.com/newcomer && source ./steps && go run .) >"$newcomer/log" 2>&1 &&
    grep -q 'Hot partition detected - table="events" pk="EVENTS"' "$newcomer/log" || {
    cat "$newcomer/log" >&2
    exit 1
}
echo "The README's steps make a program that watches."

HOTPART_RATIO=1 go test -count=1 -run '^TestRatio$' -v . | grep -E '^RecordWrite|^ +bench_test'
(cd awsmiddleware && HOTPART_RATIO=1 go test -count=1 -run '^TestOverhead$' -v . | grep '^a put')
go test -run '^$' -bench . -benchmem . | grep -E '^Benchmark'
