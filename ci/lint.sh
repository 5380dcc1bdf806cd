#!/usr/bin/env bash
# Proves that the source is formatted, that clippy and rustdoc have nothing to say, in a build and under loom, and that the
# stated minimum Rust version is the one in use or older.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo fmt --check
cargo clippy --locked --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom" RUSTFLAGS="--cfg loom --cfg crossbeam_loom" \
    cargo clippy --locked --lib -- -D warnings
cargo fmt --check --manifest-path fuzz/Cargo.toml
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/fuzz" cargo clippy --quiet --locked --manifest-path fuzz/Cargo.toml -- -D warnings
echo "rust-version $(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml), checked with $(rustc --version)"
