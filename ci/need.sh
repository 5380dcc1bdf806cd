# Sourced. need TOOL...: whether all are installed. Where one is missing the caller skips its work, aloud; in CI
# (CI=true) that is a failure.
need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null && continue
        if [[ ${CI:-} == true ]]; then
            echo "failed: $tool is not installed" >&2
            exit 1
        fi
        echo "skipped: $tool is not installed"
        return 1
    done
}
