# Sourced. need TOOL...: whether all are installed. On a user's machine what lacks one is skipped, aloud; in CI that fails.
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
