#!/usr/bin/env bash
# Proves that the source is formatted, that clippy and rustdoc have nothing to say, in a build, in one without features, and under
# loom, and that the library is built by the stated minimum Rust version.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
cargo fmt --check
bash ci/layers.sh
cargo clippy --locked --all-targets -- -D warnings
# Not among those, as no plain test run builds it.
cargo clippy --locked --test explore -- -D warnings
cargo clippy --locked --all-targets --no-default-features -- -D warnings
# What users read, where a link to what is private leads nowhere, and what is for who works on it.
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom" RUSTFLAGS="--cfg loom --cfg crossbeam_loom" \
    cargo clippy --locked --lib -- -D warnings
cargo fmt --check --manifest-path fuzz/Cargo.toml

minimum=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
if [[ $(rustc --version) == "rustc $minimum"[.\ ]* ]]; then
    echo "rust-version $minimum: the one in use"
else
    need rustup || exit 0
    [[ ${CI:-} != true ]] || rustup --quiet toolchain install "$minimum" --profile minimal
    if rustup run "$minimum" cargo --version >/dev/null 2>&1; then
        CARGO_TARGET_DIR=build/minimum rustup run "$minimum" cargo check --quiet --locked --lib
        echo "rust-version $minimum: it builds the library"
    else
        skip "Rust $minimum is not installed"
    fi
fi
