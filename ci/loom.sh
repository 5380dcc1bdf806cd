#!/usr/bin/env bash
# loom.sh [NAME]: proves the concurrent types: explores the interleavings of each loom model, or of those with NAME in theirs, within
# a bound on preemptions, and prints how many executions that were. With QUICK=true without those that take most of the time.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="--cfg loom --cfg crossbeam_loom -D warnings"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
cargo test --quiet --locked --profile model --lib --no-run
models=$(cargo test --quiet --locked --profile model --lib --no-run --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
left_out=()
if [[ ${QUICK:-} == true ]]; then
    for model in a_stale_put c_the_base_in_a_wheel_at_a_turn d_first_touch e_one_key_inserted_twice \
        e_two_inserts_against_growth g_a_pinned_reader_against_reclaim g_an_extension_against_the_first_alarm \
        g_a_schema_against_another f_an_idle_partition_reclaimed l_a_read l_a_rate l_a_peak l_a_warm_add \
        l_an_add_inside l_an_add_overtaken_by_a_heavy_turn inside_a_copied_wheel \
        inside_a_growing_history l_a_heavy_add l_two_movers n_the_level_falls \
        n_two_records n_clear_against n_kept_out_as o_a_throttle_finds n_a_record_against_demotion n_a_look_against n_two_demotions n_a_new_entry n_a_record_as_the_level n_thresholds_are_read; do
        echo "left out: $model, which takes long"
        left_out+=(--skip "$model")
    done
fi
# In processes of their own: each execution maps stacks, which threads of one process would wait for each other to do.
"$models" --list --format terse "${left_out[@]}" "$@" | sed -n 's/: test$//p' |
    xargs -P "$(getconf _NPROCESSORS_ONLN)" -I '{}' "$models" --quiet --nocapture --exact '{}' | grep '^loom:'
