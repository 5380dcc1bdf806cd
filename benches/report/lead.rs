//! The table that the report begins with: what a record costs, in plain words.

use crate::Scale;
use crate::bounded::C_BOUNDED;
use crate::figures::ns;
use crate::lanes::{C, DASHMAP};
use crate::markdown::{grouped, table};
use crate::memory;
use crate::results::{Results, at};
use crate::rounds::Rounds;
use crate::targets::C_BATCH;

pub fn text(scale: &Scale, results: &Results) -> String {
    let (few, many) = (grouped(scale.few as u64), grouped(scale.many as u64));
    let calls = |n: usize| at(&results.calls, n);
    let rows = [
        time("a record, one hot key".into(), calls(1), C),
        time(format!("a record, {few} keys"), calls(scale.few), C),
        time(format!("a record, {many} keys, each the first of its second"), &results.turns.full, C),
        time("a record in a batch of 64, one hot key".into(), calls(1), C_BATCH),
        time(format!("a record in a batch of 64, {many} keys"), calls(scale.many), C_BATCH),
        time(
            format!("a record of a cold key in bounded memory, {many} keys"),
            at(&results.bounded.records, scale.many),
            C_BOUNDED,
        ),
        threads(format!("a record, two threads, {few} keys"), results),
        memory(format!("memory of a key seen once, of {many}"), results),
    ];
    table(&["", "this library", "a bare dashmap counter", "ratio"], &rows.map(Vec::from), true)
}

fn time(work: String, rounds: &Rounds, lane: &str) -> [String; 4] {
    let [ours, theirs] = [lane, DASHMAP].map(|name| format!("{} ns", ns(rounds.cost(name).median)));
    [work, ours, theirs, format!("{:.2}", rounds.ratio(lane, DASHMAP).median)]
}

/// No figures, where the second core was not there for long enough.
fn threads(work: String, results: &Results) -> [String; 4] {
    let pair = &results.spread_out;
    if pair.patience.judges() {
        return time(work, &pair.rounds, C);
    }
    let why = if pair.patience.sound() == 0 { "no second core" } else { "too few rounds" };
    [work, "-".into(), "-".into(), why.into()]
}

fn memory(work: String, results: &Results) -> [String; 4] {
    let [ours, theirs] = [memory::ONCE, memory::DASHMAP_ONCE].map(|name| results.memory.each(name).1);
    [work, format!("{ours:.0} bytes"), format!("{theirs:.0} bytes"), format!("{:.2}", ours / theirs)]
}
