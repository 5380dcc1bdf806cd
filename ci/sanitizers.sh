#!/usr/bin/env bash
# sanitizers.sh [--quick] [address|thread]: proves by AddressSanitizer, with its leak checker, and by ThreadSanitizer that the
# library is sound where the Rust tests and the C programs lead it, after each has reported the faults of tests/planted.rs.
# On the stable toolchain, so std is not instrumented: ci/sanitizers.thread says what that makes up. With --quick or QUICK=true the unit tests and
# those that need crates of their own are left out, and what takes longest. All is built under build/sanitizers.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need cargo cc make nm || exit 0
runtimes=$(rustc --print target-libdir)
[[ -n $(compgen -G "$runtimes/librustc-*_rt.asan.a") ]] || { skip 'this Rust has no sanitizers'; exit 0; }

quick=${QUICK:-false}
[[ ${1:-} == --quick ]] && quick=true && shift
sanitizers=${1:-address thread}

# RUSTC_BOOTSTRAP: -Zsanitizer is not for the stable compiler otherwise. The release profile is made one that checks.
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1 CARGO_BUILD_TARGET=$host
export CARGO_PROFILE_RELEASE_{OPT_LEVEL=1,LTO=off,CODEGEN_UNITS=16,DEBUG=line-tables-only,DEBUG_ASSERTIONS=true,OVERFLOW_CHECKS=true}

# Those that need nothing but the library, so that cargo need not build what the others need.
tests=(batch bound conservation fork hottest memory reclaim refusals refusals_c schemas signals sliding threads warnings)
programs=(basic callback observe layout bad_input bad_structs bad_observe caller due hot scenarios fork unload)

fail() {
    echo "failed: $*" >&2
    exit 1
}

# linked FILE [OPTION]: that it has the sanitizer.
linked() { [[ $(nm "${@:2}" "$1") == *"__${runtime}_init"* ]] || fail "$1 is not linked with $sanitizer"; }

begin() {
    sanitizer=$1 build=$PWD/build/sanitizers/$1
    export CARGO_TARGET_DIR=$build RUSTFLAGS="-Zsanitizer=$1"
    case $1 in
    address)
        runtime=asan
        # What it throws is thrown away unseen, as dropping it panics.
        skipped=(--skip a_callback_that_panics_is_tallied)
        ;;
    thread)
        runtime=tsan
        RUSTFLAGS+=' -Cunsafe-allow-abi-mismatch=sanitizer'
        export TSAN_OPTIONS=suppressions=$PWD/ci/sanitizers.thread:die_after_fork=0:print_suppressions=1
        skipped=()
        ;;
    *)
        fail "no such sanitizer: $1"
        ;;
    esac
    release=$build/$host/release
    mkdir -p "$build/tests"
}

# left_out TEST: whether it is, and if so says why. ThreadSanitizer's build has other allocations than those that some count.
left_out() {
    case $sanitizer:$1 in
    thread:memory | thread:refusals | thread:refusals_c) echo "left out: $1, which counts allocations" ;;
    *:memory | thread:sliding) $quick && echo "left out: $1, which takes long" ;;
    *) return 1 ;;
    esac
}

# The library of a crate that ours needs: there may be older ones.
newest() { ls -t "$release/deps/lib$1"-*.rlib | sed -n 1p; }

# compile TEST: by rustc, as cargo would build first what other tests need.
compile() {
    local source=tests/$1.rs
    [[ -f $source ]] || source=tests/$1/main.rs
    # shellcheck disable=SC2086
    rustc --edition 2024 --test --target "$host" $RUSTFLAGS -Copt-level=1 -Cdebuginfo=line-tables-only \
        -Cdebug-assertions=on --cfg 'feature="dynamodb"' "$source" -o "$build/tests/$1" -Ldependency="$release/deps" \
        --extern hotpart="$release/libhotpart.rlib" --extern libc="$(newest libc)" \
        --extern crossbeam_epoch="$(newest crossbeam_epoch)"
}

rust() {
    local test
    cargo build --quiet --locked --release --lib
    compile planted
    linked "$build/tests/planted"
    if [[ $sanitizer == address ]]; then
        demand leak 'LeakSanitizer: detected memory leaks'
        demand use_after_free 'AddressSanitizer: heap-use-after-free'
    else
        demand race 'ThreadSanitizer: data race'
        # By its frame, as std's own of this are reported too.
        demand race_in_an_arc '<alloc::sync::Arc<hotpart::detector::Detector>>::drop_slow'
    fi
    for test in "${tests[@]}"; do
        if ! left_out "$test"; then
            compile "$test"
            echo "$sanitizer: $test"
            "$build/tests/$test" --quiet "${skipped[@]}"
        fi
    done
    if ! $quick; then
        cargo test --quiet --locked --release --lib --test observe
        # One by one: proptest has a Once of std's between its tests.
        cargo test --quiet --locked --release --test rates --test properties -- --test-threads 1
    fi
}

# demand TEST REPORT: that the planted fault is reported, and that this fails the test.
demand() {
    local status=0 report=$build/tests/planted.$1
    "$build/tests/planted" --ignored --exact "$1" >"$report" 2>&1 || status=$?
    if [[ $status == 0 ]] || ! grep -q "$2" "$report" || ! grep -q 'hotpart::' "$report"; then
        fail "$sanitizer has not reported the planted $1"
    fi
}

# The programs have Rust's own runtime of the sanitizer, whichever the C compiler has.
c() {
    local program archive
    archive=$(echo "$runtimes"/librustc-*_rt.$runtime.a)
    # The library is there: cargo would compile it again for make.
    ln -sf libhotpart.so "$release/libhotpart.so.0"
    make --silent --no-print-directory --assume-old=library CC=cc BUILD="$build/c" RELEASE="$release" CFLAGS="-O1 -g -fsanitize=$sanitizer" \
        LDFLAGS="-Wl,--whole-archive $archive -Wl,--no-whole-archive -rdynamic -ldl -lm" \
        "${programs[@]/#/$build/c/}" "$build"/c/{threads,synthesize,replay}
    linked "$release/libhotpart.so" -D
    for program in "${programs[@]}"; do
        echo "$sanitizer: $program"
        # A forked child leaves behind, once, what its parent's collector held; and it watches its memory, of which little may be
        # held back.
        ASAN_OPTIONS=$([[ $program != fork ]] || echo detect_leaks=0:quarantine_size_mb=1) "$build/c/$program" >/dev/null
    done
    "$build/c/threads" 100 >/dev/null
    "$build/c/synthesize" | "$build/c/replay" --window 10 --writes 100 --reads 150 >/dev/null
}

if grep -nvE '^(#.*|race:<?(alloc|core)::[^*]*<(std|test)::[^*]*)$' ci/sanitizers.thread || grep -n '^[^#].*\(hotpart\|hpd_\)' ci/sanitizers.thread; then
    fail 'suppressions are for std alone'
fi

for each in $sanitizers; do
    begin "$each"
    rust
    c
done
