#!/usr/bin/env bash
# mutations.sh [NAME]: puts faults that were mended back, one at a time, in a copy of the tree, or the one with NAME in its name.
# Proves that a test or a model fails for each; so a change that makes one of them blind is noticed.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need cargo perl || exit 0

only=${1:-}
tree=$PWD/build/mutations/tree
rm -rf "$tree"
mkdir -p "$tree"
git ls-files -z --deduplicate | xargs -0 cp --parents -t "$tree"
export CARGO_TARGET_DIR=$PWD/build/mutations/target
survivors=0

# mutate NAME FILE OLD NEW TEST...: with NEW for OLD in FILE, the command TEST must run and fail.
mutate() {
    local name=$1 file=$2 old=$3 new=$4 log=$PWD/build/mutations/log
    [[ $name == *"$only"* ]] || return 0
    if ! old=$old new=$new perl -0 -pi -e 'BEGIN { ($o, $n) = @ENV{"old", "new"} } $found += s/\Q$o\E/$n/; END { exit !$found }' "$tree/$file"; then
        echo "failed: $file has no line such as: $old" >&2
        exit 1
    fi
    if (cd "$tree" && "${@:5}") >"$log" 2>&1; then
        echo "survived: $name (${*:5})"
        survivors=$((survivors + 1))
    elif grep -qE '^error(\[|: could not compile)' "$log"; then
        cat "$log" >&2
        echo "failed: $name does not compile" >&2
        exit 1
    elif ! grep -q 'panicked at' "$log"; then
        cat "$log" >&2
        echo "failed: $name: no test ran" >&2
        exit 1
    else
        echo "caught: $name: ${*:5}: $(grep -m1 -A1 'panicked at' "$log" | tail -1)"
    fi
    cp "$file" "$tree/$file"
}

unit=(cargo test --quiet --locked --lib)

mutate 'a frozen head passes for one that can turn' src/partition/head.rs \
    'self.0 >> FROZEN.trailing_zeros() == u64::from(second) << 1' 'self.second() == second' \
    ci/loom.sh l_a_turn_inside_a_copied_history
mutate 'a frozen head passes, for a rate' src/partition/head.rs \
    'self.0 >> FROZEN.trailing_zeros() == u64::from(second) << 1' 'self.second() == second' \
    ci/loom.sh l_a_rate_inside_a_copied_wheel
mutate 'a frozen head passes, for a read' src/partition/head.rs \
    'self.0 >> FROZEN.trailing_zeros() == u64::from(second) << 1' 'self.second() == second' \
    ci/loom.sh l_a_read_inside_a_copied_history
mutate 'a frozen head passes, for a warning' src/partition/head.rs \
    'self.0 >> FROZEN.trailing_zeros() == u64::from(second) << 1' 'self.second() == second' \
    ci/loom.sh l_a_peak_inside_a_copied_wheel
mutate 'no second look when a second closes' src/partition/series.rs \
    'self.is_current(seen).then(|| Slot::new(seen.second(), seen.own(base(sum))))' \
    'Some(Slot::new(seen.second(), seen.own(base(sum))))' \
    ci/loom.sh l_a_turn_inside_a_copied_history
mutate 'no second look when a second closes fast' src/partition/turn.rs \
    'sum >= BASE_LIMIT || !self.is_current(seen)' 'sum >= BASE_LIMIT' \
    ci/loom.sh l_a_turn_inside_a_copied_history
mutate 'no second look at the sum' src/partition/series.rs \
    'self.is_current(seen).then_some(sum)' 'Some(sum)' \
    "${unit[@]}" overtaken_asks_the_copy
mutate 'no second look at what is read' src/partition/series.rs \
    '                && self.is_current(head)' '' \
    ci/loom.sh l_a_read_inside_a_copied_history
mutate 'an add that looks at the past adds blindly' src/partition/series.rs \
    'Ok(self.head.replace(seen, Head::new(seen.second(), base, own)).then_some(count))' \
    '{ self.head.add(amount.get()); Ok(Some(count)) }' \
    ci/loom.sh l_a_warm_add_inside_a_copied_history
mutate 'a count is not asked of the copy' src/ledger/mod.rs \
    '.counted(before, amount).or_else(elsewhere)' '.counted(before, amount).or_else(|| { let _ = elsewhere; None })' \
    "${unit[@]}" overtaken_asks_the_copy
mutate 'a count falls short of its own second' src/ledger/mod.rs \
    'count.unwrap_or(0).max(least.into())' 'count.unwrap_or(0)' \
    "${unit[@]}" a_record_whose_heavy_partition_has_gone
mutate 'movers do not agree on what a head held' src/partition/head.rs \
    'Head(frozen_head.load(Acquire))' 'seen' \
    ci/loom.sh l_two_freezes_and_an_add
mutate 'a tally of nothing' src/detector/throttle.rs \
    'let Some(added) = Amount::new(amount) else { return Ok(()) };' 'let added = Amount::clamped(amount.max(1));' \
    cargo test --quiet --locked --test observe zeros
mutate 'idleness is judged before the removal' src/ledger/reclaim.rs \
    'let Some(removed) =' \
    'struct Chosen(bool);
        impl Chosen {
            fn was_idle(&self, _: Moment, _: crate::partition::content::Timing, _: &crossbeam_epoch::Guard) -> bool {
                self.0
            }
        }
        let removed = Chosen(partition.idle(now, settings.timing, guard));
        let Some(_) =' \
    ci/loom.sh f_an_idle_partition_recorded_as_it_goes_at_the_bound
mutate 'a live one goes for one that was reclaimed' src/ledger/reclaim.rs \
    'partitions.len(new).increment();
                        continue '\''excess;' '' \
    ci/loom.sh f_an_idle_partition_reclaimed_as_it_goes_at_the_bound
mutate 'a partition that can not go stays counted out' src/ledger/reclaim.rs \
    '            partitions.len(new).increment();
            return;' '            return;' \
    "${unit[@]}" where_none_can_go
mutate 'few keys deepen the map' src/map/replace.rs \
    'depth < DEPTH_MAX && share > 0 &&' 'depth < DEPTH_MAX &&' \
    "${unit[@]}" a_few_long_keys_that_collide
mutate 'a late put freezes the history of the copy' src/partition/past.rs \
    'if old.is_frozen() {
                return Err(GrowError::Frozen);
            }
            let larger' 'let larger' \
    "${unit[@]}" a_late_put
mutate 'an open slot takes the place of a closed one' src/partition/slot.rs \
    'self.0.fetch_max(Stamped { second, value: base as u32 }.pack(), AcqRel);' \
    'self.0.swap(Stamped { second, value: base as u32 }.pack(), AcqRel);' \
    ci/loom.sh c_the_base_in_a_wheel_at_two_turns
mutate 'a first history hides another' src/partition/past.rs \
    'let begun = self.replace(PastPtr::NOTHING, first).is_ok();' \
    'let begun = self.0.swap(first.0, AcqRel) != first.0;' \
    ci/loom.sh a_a_turn_that_was_overtaken
mutate 'a vacant entry is a slot of second 0' src/partition/history.rs \
    'let from = kept.max(1);' 'let from = kept;' \
    "${unit[@]}" a_survey_is_what
mutate 'a second twice in a grown history' src/partition/past.rs \
    'held.second != slot.second && !held.expired' '!held.expired' \
    "${unit[@]}" a_second_that_was_put_before
mutate 'the key before, in a batch, is any' src/detector/batch.rs \
    'Some((last, hash)) if last == key' 'Some((_, hash)) if true' \
    cargo test --locked --test batch
mutate 'want of memory passes for a clear' src/detector/recording.rs \
    'Err(Refusal::Memory) => self.withhold(partition, posting.operation, visit.guard),' 'Err(Refusal::Memory) => None,' \
    "${unit[@]}" a_record_that_no_memory_lets_judge
mutate 'want of memory for a rate hides the rule of the window' src/ledger/breach.rs \
    'Err(Refusal::Memory) => unjudged = true,' '' \
    "${unit[@]}" hot_by_the_window
mutate 'a hot record that gets no memory for its alarm is dropped' src/detector/recording.rs \
    'Err(GrowError::Memory) => None,' 'Err(GrowError::Memory) => return None,' \
    "${unit[@]}" without_memory_for_its_alarm
mutate 'a hot record without an alarm is dropped' src/detector/recording.rs \
    'None => heard.then_some(0),' 'None => return None,' \
    "${unit[@]}" recording
mutate 'the second cell is not read again' src/filter/mod.rs \
    '(Word(first.0 + u64::from(amount)), Word(self.second.load(Acquire)));' \
    '(Word(first.0 + u64::from(amount)), Word(second.0 + u64::from(amount)));' \
    ci/loom.sh m_two_additions
mutate 'the first cell comes first' src/filter/mod.rs \
    'let second = Word(self.second.fetch_add(amount.into(), AcqRel));
        let first = Word(self.first.fetch_add(amount.into(), AcqRel));' \
    'let first = Word(self.first.fetch_add(amount.into(), AcqRel));
        let second = Word(self.second.fetch_add(amount.into(), AcqRel));' \
    ci/loom.sh m_two_additions
mutate 'an addition in a newer lane of the second cell counts' src/filter/word.rs \
    '((first.0 ^ head) >> 48 == 0) & ((second.0 ^ head) >> TAG == 0)' \
    '((first.0 ^ head) >> 48 == 0) & (second == second)' \
    ci/loom.sh m_an_addition_of_an_older_sub_window
mutate 'a fast addition overlooks a mark' src/filter/word.rs \
    '((first.0 ^ head) >> 48 == 0) & ((second.0 ^ head) >> TAG == 0)' \
    '((first.0 ^ head) >> TAG == 0) & ((second.0 ^ head) >> TAG == 0)' \
    ci/loom.sh m_a_fast_addition_against_an_insert
mutate 'an addition goes on where the cell has marks and has changed' src/filter/mod.rs \
    'seen.has_marks() || !Word(now)' '!Word(now)' \
    ci/loom.sh m_an_addition_against_an_insert
mutate 'nobody is disturbed' src/filter/word.rs \
    'Self(self.0 + u64::from(self.0 & LANE_BITS < LANE_BITS))' 'self' \
    ci/loom.sh m_an_addition_against_an_insert
mutate 'an addition that is over counts' src/filter/mod.rs \
    'let is_over = second.is_far_ahead(at);' 'let is_over = false;' \
    ci/loom.sh m_an_addition_that_stands_still
mutate 'a bound of no moment' src/filter/mod.rs \
    'if first.sub_window().since(at) <= 0 && second.sub_window().since(at) <= 0 {' 'if true {' \
    ci/loom.sh n_a_look_that_stands_still
mutate 'what comes back of long ago is of the future' src/filter/mod.rs \
    'if at.since(now()) > 0 {' 'if false {' \
    "${unit[@]}" what_comes_back
mutate 'what goes back into the cells is lost' src/ledger/demotion.rs \
    'pair.give_back(at, slot.count, now);' 'pair.give_back(at, slot.count.min(0), now);' \
    ci/loom.sh n_a_look_against_demotion
mutate 'nothing is added to a new entry' src/ledger/settling.rs \
    'Amount::new(others.saturating_sub(carried).into())' 'Amount::new(others.saturating_sub(carried).min(0).into())' \
    ci/loom.sh n_the_level_falls
mutate 'a new entry is not fresh' src/partition/content.rs \
    'PastPtr::with_alarm(alarm)?.fresh()' 'PastPtr::with_alarm(alarm)?' \
    ci/loom.sh n_a_record_of_a_fresh_entry
mutate 'the carry is up to the level of now' src/ledger/bounds.rs \
    'filtering.level(greatest.min(settings' 'filtering.level(greatest.min(1).min(settings' \
    ci/loom.sh n_the_level_falls
mutate 'freshness is asked last' src/ledger/bounds.rs \
    'let is_fresh = found.is_fresh();
            let most = found.series(operation, visit.window(), visit.guard).count(visit.now.second())?;' \
    'let most = found.series(operation, visit.window(), visit.guard).count(visit.now.second())?;
            let is_fresh = found.is_fresh();' \
    ci/loom.sh n_a_look_at_a_fresh_entry
mutate 'a level that was in force for a moment is forgotten' src/policy/timeline.rs \
    '.filter(move |span| span.over >= oldest)' '.filter(move |span| span.over > u32::MAX - 1 && oldest == 0)' \
    ci/loom.sh n_the_level_is_set_by_two
mutate 'models are set by two at a time' src/sys/lock.rs \
    '(self.forks == forks()).then(|| self.lock())' '{ let _ = self.lock(); None }' \
    ci/loom.sh n_models_are_set_by_two
mutate 'models and a table are read at two moments' src/policy/overrides.rs \
    'if self.changes.load(Acquire) == before {' 'if self.changes.load(Acquire) >= before {' \
    ci/loom.sh n_thresholds_are_read
mutate 'what waited is put down as of its release' src/ledger/promotion.rs \
    'if visit.now.second() > then { amounts }' 'if visit.now.second() > then && false { amounts }' \
    cargo test --quiet --locked --test bounded what_waited
mutate 'a raised floor undoes what was lowered meanwhile' src/policy/floor.rs \
    'word((seen >> TIMES_BITS).min(to), seen + 1)' 'word((seen >> TIMES_BITS).min(to), seen)' \
    cargo test --quiet --locked --lib a_raise_does_not_undo
mutate 'what is removed holds others down' src/policy/overrides.rs \
    'self.floors[i].raise(' 'let _ = (|_: &dyn Fn() -> u64| ())(&' \
    cargo test --quiet --locked --lib what_is_removed_holds_nothing_down
mutate 'thresholds count together that never met' src/policy/timeline.rs \
    'if table.meets(&model) {' 'if table.meets(&model) || model.thresholds != table.thresholds {' \
    cargo test --quiet --locked --lib what_was_never_in_force_together
mutate 'the first that is left out of a list does not count' src/detector/top.rs \
    'self.unlisted_most.max(dropped)' 'self.unlisted_most.max(dropped.min(0))' \
    cargo test --quiet --locked --test fleet no_more_than_990
mutate 'cold partitions are not among those that are not listed' src/ledger/bounds.rs \
    'cold: u64::from(level) - 1' 'cold: u64::from(level) - u64::from(level)' \
    cargo test --quiet --locked --test fleet it_is_where_most_partitions
mutate 'a minute has the second before it' src/partition/series.rs \
    'let within = first..last' 'let within = first.saturating_sub(1)..last' \
    cargo test --quiet --locked --test fleet the_lines_of_all_minutes
mutate 'full memory keeps no room for a reclaim' src/map/bytes.rs \
    'growth_bytes(text_len) + self.copy_most.load(Relaxed).max(grown)' 'growth_bytes(text_len) + (self.copy_most.load(Relaxed) + grown) / (grown * 1_000)' \
    cargo test --quiet --locked --test bounded memory_that_is_full
mutate 'who is kept out does not look again' src/ledger/promotion.rs \
    'if side.pair.look().has_marks()
                && let' 'if posting.hash != posting.hash
                && let' \
    ci/loom.sh n_kept_out_as_another_promotes
mutate 'an entry of a second that is over' src/ledger/promotion.rs \
    'let visit = visit.renewed();
        let mut amounts' 'let mut amounts' \
    ci/loom.sh n_a_record_that_stands_still
mutate 'an entry comes before its mark' src/ledger/promotion.rs \
    'sides.iter().for_each(|side| side.pair.mark());
        let inserted =
            self.with_context(visit, |context| self.partitions.insert(hash, &content, context, visit.guard));
        if let Ok(InsertOutcome::Done(new)) = inserted {
            sides.iter().for_each(|side| side.pair.disturb());' \
    'let inserted =
            self.with_context(visit, |context| self.partitions.insert(hash, &content, context, visit.guard));
        if let Ok(InsertOutcome::Done(new)) = inserted {
            sides.iter().for_each(|side| side.pair.mark());
            sides.iter().for_each(|side| side.pair.disturb());' \
    ci/loom.sh n_a_new_entry_goes_at_once

mutate 'a throttle that is kept out does not look again' src/ledger/synthetic.rs \
    'if let Some(recorded) = self.record_in_entry(posting, visit)? {
            return Ok(recorded);
        }
        Ok(Recorded {' 'Ok(Recorded {' \
    ci/loom.sh o_a_throttle_kept_out_as_another_has_room
mutate 'throttles that were kept out stay in the cells' src/ledger/synthetic.rs \
    'if filtering.has_kept_out(true, visit.now) {' 'if filtering.has_kept_out(true, visit.now) && hash != hash {' \
    ci/loom.sh o_a_throttle_is_inserted
mutate 'a new entry has all throttles that were kept out' src/ledger/synthetic.rs \
    'if is_fresh { self.bound(key, hash, operation, visit)? } else { 0 }' 'if is_fresh && hash != hash { self.bound(key, hash, operation, visit)? } else { 0 }' \
    ci/loom.sh o_a_throttle_finds_an_entry
mutate 'a look at a new entry overlooks what was kept out' src/ledger/bounds.rs \
    'Some((most, least, true)) if is_synthetic(key) => {
                (least, most.saturating_add(self.bound(key, hash, operation, visit)?))' \
    'Some((most, least, true)) if is_synthetic(key) => {
                (least, most)' \
    ci/loom.sh o_a_throttle_is_inserted
mutate 'throttles that are kept out are in no list' src/detector/hottest.rs \
    'if self.is_filtered() {
            return ledger.bounds' 'if self.is_filtered() && synthetic.pk.is_empty() {
            return ledger.bounds' \
    cargo test --quiet --locked --test bounded the_hottest_have_the_throttles
mutate 'a turn that comes near the floor is fast' src/partition/turn.rs \
    '>= (floor / 2).min(BASE_LIMIT)' '>= BASE_LIMIT.min(floor | BASE_LIMIT)' \
    cargo test --quiet --locked --test warnings one_large_amount_that_begins_a_second_warns
mutate 'each clear may go over the memory' src/ledger/mod.rs \
    'let _room = room.transpose()?;' 'let _room = room.map(Result::ok);' \
    cargo test --quiet --locked --test clears clears_while_a_thread_stands_inside_a_call
mutate 'what a parent has not freed is in the way of its child' src/sys/budget.rs \
    'return forks() + 1' 'return forks().min(0) + 1' \
    cargo test --quiet --locked --test fork a_child_can_clear
mutate 'a ledger is used before its generation has begun' src/ledger/current.rs \
    'ledger.begin();
        ledger' 'ledger' \
    ci/loom.sh p_the_level_is_set
mutate 'a record of the old ledger goes on in the new cells' src/ledger/promotion.rs \
    'if filtering.is_over() {' 'if filtering.is_over() && false {' \
    ci/loom.sh p_a_record_in_the_old_ledger
mutate 'a cell of the next generation is taken for old' src/ledger/filtering.rs \
    'move || self.cold.at(clock.now())' 'move || self.at(clock.now())' \
    ci/loom.sh p_a_record_in_the_old_ledger
mutate 'what is cleared keeps its marks' src/ledger/current.rs \
    'if let Some(filtering) = &old.filtering {
                filtering.unmark' 'if let Some(filtering) = old.filtering.as_ref().filter(|_| key.table.is_empty()) {
                filtering.unmark' \
    ci/loom.sh p_a_promotion_against_the_end
mutate 'a level of the old ledger goes over to the new one' src/ledger/cold.rs \
    '(state.generation() == generation).then_some(State::new(generation, levels).0)' 'Some(State::new(state.generation().max(generation), levels).0)' \
    ci/loom.sh p_levels_are_set
mutate 'what is cleared comes round' src/ledger/current.rs \
    'filtering.cold.filter.refresh(filtering.now(clock));' '' \
    cargo test --quiet --locked --test clears what_is_cleared_stays
mutate 'a clear that stands still empties cells of the present' src/filter/mod.rs \
    'for cell in &self.cells {
            if !Word' 'let at = now();
        let now = || at;
        for cell in &self.cells {
            if !Word' \
    "${unit[@]}" a_refresh_that_stands_still
mutate 'a clear does not wait for a halted thread' src/sys/budget.rs \
    'for turn in 0..12' 'for turn in 0..0' \
    cargo test --quiet --locked --test clears a_clear_waits
mutate 'a ledger that is refused keeps its first segment' src/map/clear.rs \
    'self.segment_freed(segment);' '' \
    cargo test --quiet --locked --test clears a_clear_that_is_refused
mutate 'a partition that wakes up asks for no room' src/map/mod.rs \
    'let Ok(_room) = self.room_to_copy(segment) else { return Ok(false) };' '' \
    cargo test --quiet --locked --release --test clears wake_up
mutate 'the most by a clock that was read once' src/filter/mod.rs \
    '*at = now();' '' \
    "${unit[@]}" the_most_has_cells
mutate 'halves are made where there is room for a copy' src/map/replace.rs \
    'self.budget.is_none() || context.to_come > 0' 'true' \
    "${unit[@]}" a_copy_of_a_full_segment
mutate 'a partition that wakes up never goes' src/map/mod.rs \
    'let Ok(_room) = self.room_to_copy(segment) else { return Ok(false) };' 'if self.budget.is_some() { return Ok(false) }' \
    cargo test --quiet --locked --release --test bounded_memory partitions_that_wake_up
mutate 'a carry that is over comes back' src/partition/alarm.rs \
    'self.amount() > 0 && self.is_over(second, seconds)' 'false' \
    "${unit[@]}" a_carry_that_is_over
mutate 'a thread that stands still takes what is carried anew for all' src/partition/alarm.rs \
    'carry.0 & ANEW != 0 && now < carry.second()' 'false' \
    "${unit[@]}" a_carry_that_is_over

if ((survivors > 0)); then
    echo "failed: $survivors survived" >&2
    exit 1
fi
