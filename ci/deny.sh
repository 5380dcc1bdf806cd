#!/usr/bin/env bash
# Proves that what users build of other people's is what deny.toml allows: licences, crates, sources; and that the library compiles
# for the platforms that this one is not.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need cargo || exit 0

# Unoptimised and without what a debugger needs: it is built far sooner, and fast enough.
CARGO_PROFILE_DEV_DEBUG=none cargo install --quiet --debug --locked --root build/deny --target-dir build/deny/target --no-default-features cargo-deny --version 0.20.2
build/deny/bin/cargo-deny --locked check licenses bans sources
build/deny/bin/cargo-deny --locked --manifest-path cli/Cargo.toml --config cli/deny.toml check licenses bans sources

need rustup || exit 0
for target in aarch64-unknown-linux-gnu aarch64-apple-darwin x86_64-pc-windows-msvc; do
    if ! rustup target list --installed | grep -qx "$target"; then
        # Not to a user's toolchain, unasked.
        [[ ${CI:-} == true ]] || { skip "std for $target is not installed"; continue; }
        rustup --quiet target add "$target"
    fi
    CARGO_TARGET_DIR=build/targets RUSTFLAGS="-D warnings" cargo check --quiet --locked --lib --target "$target"
    echo "compiles for $target"
done
