# Sourced, after need.sh: builds the collector of OpenTelemetry that the tests send to, and says where it is.

# collector: does so. Its modules need a later Go than the packages here.
collector() {
    need go || return 0
    local oldest own made program=$PWD/build/otelcol
    oldest=$(sed -n 's/^go //p' ci/otelcol/go.mod) own=$(go env GOVERSION) own=${own#go}
    if ! printf '%s\n' "$oldest" "$own" | sort --version-sort --check=quiet; then
        skip "the collector of OpenTelemetry needs Go $oldest, not $own"
        return 0
    fi
    # Several scripts may want it at once.
    exec {lock}>"$program.lock"
    flock "$lock"
    made=$(cat ci/otelcol/* | cksum)
    if [[ ! -x $program || $(cat "$program.of" 2>/dev/null) != "$made" ]]; then
        (cd ci/otelcol && GOFLAGS="${GOFLAGS:-} -modcacherw" go build -ldflags=-s -o "$program" .)
        echo "$made" >"$program.of"
    fi
    exec {lock}>&-
    export HOTPART_OTELCOL=$program
}
mkdir -p build
collector
