//! Loom models of the real types: every interleaving of two threads, within a bound on preemptions.
//!
//! Each model proves the property that its name and comment state. They run with `ci/loom.sh`,
//! which shows how many executions each explored. A letter in brackets, (a) to (p), says what a
//! model is about: `DESIGN.md`, "The proofs", has the table.

mod bound;
mod cleared;
mod filter;
mod filtering;
mod ledger;
mod lifetimes;
mod map;
mod moves;
mod oracle;
mod series;
mod subject;
mod synthetic;

use crossbeam_epoch::{Collector, Guard, LocalHandle};
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Explores all executions of `model` with up to `preemptions` switches away from a thread that
/// could go on (or `LOOM_MAX_PREEMPTIONS`), and prints how many there were.
fn explore(name: &str, preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    explore_within(None, name, preemptions, model);
}

/// Does the same for at most `most`, for models with more executions than a run has time for.
fn explore_within(
    most: Option<Duration>,
    name: &str,
    preemptions: usize,
    model: impl Fn() + Send + Sync + 'static,
) {
    let (executions, start) = (Arc::new(AtomicUsize::new(0)), std::time::Instant::now());
    let mut builder = loom::model::Builder::new();
    let preemptions = *builder.preemption_bound.get_or_insert(preemptions);
    builder.max_branches = 100_000;
    builder.max_duration = most;
    let counter = executions.clone();
    builder.check(move || {
        counter.fetch_add(1, Relaxed);
        model();
    });
    let (executions, seconds) = (executions.load(Relaxed), start.elapsed().as_secs());
    let ended =
        if most.is_some_and(|most| start.elapsed() >= most) { ", when its time was over" } else { "" };
    println!("loom: {name}: {executions} executions, {preemptions} preemptions, {seconds} s{ended}");
}

/// The place of one thread in the collector of one execution.
struct Thread(LocalHandle);

impl Thread {
    fn pin(&self) -> Guard {
        self.0.pin()
    }
}

/// The stage of a model: the things that its threads share, with a collector of its own for each
/// execution.
struct Stage<T>(Arc<(Collector, T)>);

impl<T: Send + Sync + 'static> Stage<T> {
    fn new(subject: T) -> Self {
        Self(Arc::new((Collector::new(), subject)))
    }

    fn enter(&self) -> Thread {
        Thread(self.0.0.register())
    }

    fn subject(&self) -> &T {
        &self.0.1
    }

    /// Runs `other` on a second thread and `this` on the first, and returns what both returned.
    fn race<A: 'static, B>(
        &self,
        other: impl FnOnce(&T, &Thread) -> A + 'static,
        this: impl FnOnce(&T, &Thread) -> B,
    ) -> (A, B) {
        let stage = Self(self.0.clone());
        let other = thread::spawn(move || other(stage.subject(), &stage.enter()));
        let this = this(self.subject(), &self.enter());
        (other.join().unwrap(), this)
    }

    /// Does the same with two other threads.
    fn race_three<A: 'static, B: 'static, C>(
        &self,
        others: (impl FnOnce(&T, &Thread) -> A + 'static, impl FnOnce(&T, &Thread) -> B + 'static),
        this: impl FnOnce(&T, &Thread) -> C,
    ) -> (A, B, C) {
        let (first, second) = (Self(self.0.clone()), Self(self.0.clone()));
        let first = thread::spawn(move || others.0(first.subject(), &first.enter()));
        let second = thread::spawn(move || others.1(second.subject(), &second.enter()));
        let this = this(self.subject(), &self.enter());
        (first.join().unwrap(), second.join().unwrap(), this)
    }

    /// Runs `after` when the race is over.
    fn then<A>(&self, after: impl FnOnce(&T, &Thread) -> A) -> A {
        after(self.subject(), &self.enter())
    }
}
