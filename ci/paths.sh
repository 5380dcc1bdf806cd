#!/usr/bin/env bash
# paths.sh FILE...: proves that these, which others get, have no paths of this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
own=(-e "$PWD/" -e "$HOME/" -e "${CARGO_HOME:-$HOME/.cargo}" -e "${RUSTUP_HOME:-$HOME/.rustup}")
for file; do
    # That grep finds nothing is no failure; that it can't read the file is one.
    found=$(grep -aoF "${own[@]}" "$file" || [[ $? == 1 ]])
    [[ -z $found ]] || {
        sort <<<"$found" | uniq -c
        echo "failed: $file has paths of this machine" >&2
        exit 1
    }
done
