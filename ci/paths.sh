#!/usr/bin/env bash
# paths.sh FILE...: proves that these, which others get, have no paths of this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
for file; do
    if grep -aoF -e "$PWD/" -e "$HOME/" -e "${CARGO_HOME:-$HOME/.cargo}" "$file" | sort | uniq -c; then
        echo "failed: $file has paths of this machine" >&2
        exit 1
    fi
done
