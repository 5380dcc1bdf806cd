# Sourced.

# skip WHY: says that work is skipped; in CI (CI=true) that is a failure.
skip() {
    if [[ ${CI:-} == true ]]; then
        echo "failed: $*" >&2
        exit 1
    fi
    echo "skipped: $*"
}

# need TOOL...: whether all are installed. Where one is missing the caller skips its work.
need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null && continue
        skip "$tool is not installed"
        return 1
    done
}
