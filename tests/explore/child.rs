//! The child: the stepped call on its first thread, everything else meanwhile on a second one, and
//! then the judgement.

use crate::alarms::Post;
use crate::call::{Given, Prepared};
use crate::field::Field;
use crate::library::Library;
use crate::lives::Lives;
use crate::oracle::{Own, Seen};
use crate::scenario::{Call, Kind, NEVER, OTHER, SUBJECT, Scenario, Step};
use crate::tracer::be_traced;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::channel;

/// The tracer writes this when the second thread may do its part, and that thread when it is
/// done.
pub const GO: u8 = b'g';
pub const DONE: u8 = b'd';

/// Sets up a scenario, makes its call under the tracer, and writes to `tracer` what was wrong.
/// `busy`: the subject is recorded again after the call; else it is only watched until its window
/// is empty.
pub fn run(library: &Library, scenario: &Scenario, busy: bool, mut tracer: UnixStream) {
    // What it would print is told to the tracer.
    std::panic::set_hook(Box::new(|_| {}));
    let told = tracer.try_clone().expect("a descriptor more");
    let wrong = catch_unwind(|| explore(library, scenario, busy, told));
    let wrong = wrong.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        vec![format!("a panic: {}", text.unwrap_or_default())]
    });
    let _ = tracer.write_all(wrong.join("; ").as_bytes());
}

fn explore(library: &Library, scenario: &Scenario, busy: bool, mut tracer: UnixStream) -> Vec<String> {
    let set_up = || {
        let mut field = Field::new(library, scenario.rules);
        field.do_all(&scenario.before);
        field
    };
    let mut field = if scenario.first_call {
        std::thread::scope(|scope| scope.spawn(set_up).join()).unwrap_or_else(|panic| resume_unwind(panic))
    } else {
        set_up()
    };
    let prepared = Prepared::new(&scenario.call, &field);
    field.log.begun = field.mark();
    let (ready, wait_until_ready) = channel();
    let mut field = std::thread::scope(|scope| {
        let others = scope.spawn(move || {
            // Not its first call.
            field.count(OTHER, Kind::Write);
            ready.send(()).expect("the other thread waits");
            let mut go = [0];
            tracer.read_exact(&mut go).expect("the tracer's word");
            let done = catch_unwind(AssertUnwindSafe(|| field.do_all(&scenario.others)));
            tracer.write_all(&[DONE]).expect("the tracer listens");
            done.map(|()| field)
        });
        wait_until_ready.recv().expect("a thread that is ready");
        be_traced();
        let given = prepared.make();
        let mut field = others.join().flatten().unwrap_or_else(|panic| resume_unwind(panic));
        note(&mut field, scenario, &given);
        field
    });
    if scenario.tells {
        let statistics = field.statistics();
        let hot = statistics.warnings + statistics.suppressed > 0;
        return field.alarms.posts.last().map(|post| format!("{} {hot}", post.count)).into_iter().collect();
    }
    follow(&mut field, scenario, busy)
}

/// Puts what the call gave into the log.
fn note(field: &mut Field<'_>, scenario: &Scenario, given: &Given) {
    field.log.own = scenario.call.records();
    field.log.own_clear = matches!(scenario.call, Call::Clear);
    field.log.ended = field.mark();
    field.refused = given.refused(&scenario.call);
    field.log.seen.extend(given.seen(&scenario.call));
    let span = (field.log.begun, field.log.ended);
    for &(key, kind, seen) in &given.seen(&scenario.call) {
        if let Seen::Recorded(count) = seen {
            let warnings = given.warnings.clone();
            // It came so far in the same way.
            let hot = scenario.told.filter(|told| told.0 == count).map(|told| told.1);
            field.alarms.posts.push(Post { key, kind, span, count, warnings, hot });
        }
    }
}

/// Watches all partitions until everything has left the window, and judges what was seen.
fn follow(field: &mut Field<'_>, scenario: &Scenario, busy: bool) -> Vec<String> {
    let watched = watched(field);
    watch(field, &watched);
    let mut wrong = over(field, scenario);
    if busy {
        field.act(Step::Record(SUBJECT, Kind::Write, 1));
        watch(field, &watched);
        field.act(Step::Wait(1_000));
        field.act(Step::Record(SUBJECT, Kind::Write, 1));
        watch(field, &watched);
    }
    let hot = scenario.rules.threshold != NEVER;
    if hot {
        // One more hot record, once it may warn: it takes what was suppressed.
        let due = field.alarms.last_warned(SUBJECT, &field.log).map(|at| at + field.alarms.interval_ms());
        field.act(Step::Wait(due.unwrap_or(0).saturating_sub(field.now())));
        field.act(Step::Record(SUBJECT, Kind::Write, field.threshold()));
        watch(field, &watched);
    }
    for _ in 0..=scenario.rules.window {
        field.act(Step::Wait(1_000));
        watch(field, &watched);
    }
    // A partition whose window is empty is as if never seen.
    field.act(Step::Record(SUBJECT, Kind::Write, 1));
    field.get(SUBJECT, Kind::Write);
    let statistics = field.statistics();
    let writes_and_reads = |kind| kind != Kind::Throttle;
    let recorded = field.log.records.iter().filter(|of| writes_and_reads(of.kind)).count()
        + field.log.own.iter().filter(|of| writes_and_reads(of.kind)).count();
    if statistics.records != recorded as u64 {
        wrong.push(format!("{} records in the statistics, {recorded} made", statistics.records));
    }
    wrong.extend(field.log.judge());
    let complete = hot && !scenario.forgets;
    let lives = Lives::of(&field.log);
    let (warnings, suppressed) = (statistics.warnings, statistics.suppressed);
    wrong.extend(field.alarms.judge(&field.log, &lives, complete, warnings, suppressed));
    wrong.extend(lives.judge(statistics.replaced, statistics.reclaimed, statistics.partitions));
    wrong.extend(field.refused.take());
    wrong
}

/// All that was recorded; a part, if that is much and none of it can be lost.
fn watched(field: &Field<'_>) -> BTreeSet<(u32, Kind)> {
    let own = field.log.own.iter().map(|&Own { key, kind, .. }| (key, kind));
    let few = |key: u32| field.log.lossy || key < 10 || key.is_multiple_of(32);
    let known = field.log.records.iter().filter(|of| few(of.key)).map(|of| (of.key, of.kind));
    own.chain(known).collect()
}

fn watch(field: &mut Field<'_>, watched: &BTreeSet<(u32, Kind)>) {
    for &(key, kind) in watched {
        field.get(key, kind);
    }
}

/// A table that is over its bound although no call is under way.
fn over(field: &Field<'_>, scenario: &Scenario) -> Vec<String> {
    let (most, there) = (scenario.rules.max_partitions, field.statistics().partitions);
    let over = most > 0 && there > most;
    if over { vec![format!("{there} partitions, a bound of {most}")] } else { Vec::new() }
}
