# Sourced.

# skip WHY: says that work is skipped; in CI (CI=true) that is a failure.
skip() {
    if [[ ${CI:-} == true ]]; then
        echo "failed: $*" >&2
        exit 1
    fi
    echo "skipped: $*"
}

# need TOOL...: whether all are installed, and no language's is older than its package takes. Where one is, the caller skips its
# work.
need() {
    local tool oldest own
    for tool in "$@"; do
        if ! command -v "$tool" >/dev/null; then
            skip "$tool is not installed"
            return 1
        fi
        oldest='' own=''
        case $tool in
            node) oldest=$(sed -n 's/.*"node": ">=\(.*\)"/\1/p' bindings/node/package.json) own=$(node -p process.versions.node) ;;
            # What it installs for the tests takes no older Node.
            npm) need node || return 1 ;;
            python3)
                oldest=$(sed -n 's/^requires-python = ">=\(.*\)"/\1/p' bindings/python/pyproject.toml)
                own=$(python3 -c 'import platform; print(platform.python_version())')
                ;;
            go) oldest=$(sed -n 's/^go //p' bindings/go/go.mod) own=$(go env GOVERSION) own=${own#go} ;;
        esac
        printf '%s\n' "$oldest" "$own" | sort --version-sort --check=quiet && continue
        skip "$tool $own is older than $oldest"
        return 1
    done
}
