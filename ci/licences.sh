#!/usr/bin/env bash
# Proves that the Python package, which has the command, has the licences of what is in it. THIRD-PARTY-LICENSES is of the crates that
# the command is built of, each in its version, and, but in short (QUICK=true), has the texts that are in them. With HOTPART_BLESS=1 all
# is written anew.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need cargo || exit 0

package=bindings/python
file=$package/THIRD-PARTY-LICENSES
# same COPY FILE: whether a copy is one still.
same() {
    [[ ${HOTPART_BLESS:-} != 1 ]] || cp "$2" "$package/$1"
    cmp "$2" "$package/$1"
}
same LICENSE-APACHE LICENSE-APACHE
same LICENSE-MIT LICENSE-MIT
same THIRD-PARTY-LICENSES-heatmap-page cli/heatmap-page/dist/NOTICE
if [[ ${QUICK:-} != true || ${HOTPART_BLESS:-} == 1 ]]; then
    # Unoptimised it is built far sooner, but for what compares texts, which takes minutes all the same.
    CARGO_PROFILE_DEV_DEBUG=none cargo install --quiet --debug --locked --root build/about --target-dir build/about/target \
        --config profile.dev.package.spdx.opt-level=3 --features cli cargo-about --version 0.9.3
    # For each platform, and so that no other place is asked for what a crate has not.
    cargo fetch --quiet --locked --manifest-path cli/Cargo.toml
    build/about/bin/cargo-about --color never generate --frozen --fail --manifest-path cli/Cargo.toml --config cli/about.toml \
        --output-file build/about/as-they-are cli/about.hbs
    # Some texts have another system's ends of lines.
    tr -d '\r' <build/about/as-they-are >build/about/made
    [[ ${HOTPART_BLESS:-} != 1 ]] || cp build/about/made "$file"
    diff -u "$file" build/about/made
fi

# list NAME FILE: the texts in a list of a file of TOML.
list() { awk -v name="$1" '$1 == name { inside = 1 } inside; /\]/ { inside = 0 }' "$2" | grep -o '"[^"]*"' | tr -d '"' | sort; }
built() {
    local target
    for target in $(list targets cli/about.toml); do
        cargo tree --quiet --locked --package hotpart-cli --edges normal --target "$target" --prefix none --format '{p}'
    done | sed 's/^\([^ ]*\) v\([^ ]*\).*/\1 \2/' | sort -u
}
told() { sed -n 's/^  \([A-Za-z0-9_-]* [0-9][^ ]*\)$/\1/p' "$file" | sort -u; }
diff <(told) <(built) || {
    echo "failed: $file is of other crates (<) than the command (>): HOTPART_BLESS=1 ci/licences.sh" >&2
    exit 1
}
# What is allowed, and where, is in two places.
diff <(list accepted cli/about.toml) <(list allow cli/deny.toml)
diff <(list targets cli/about.toml) <(list targets cli/deny.toml)
echo "licences: of $(told | wc -l) crates"
