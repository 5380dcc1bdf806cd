//! Trials: those of a sweep, on as many threads as the machine runs at once.
//!
//! Entries are gathered first, so that threads are started a few times a log, and not a few times a
//! second of it. A trial is run by one thread at a time, and sees all entries in order. So the
//! result does not depend on the number of threads.

use crate::backtest::trial::{Trial, Tried};
use crate::batch::Batch;
use anyhow::Result;
use std::sync::{Mutex, PoisonError};

/// The most that is gathered, in entries and in bytes. In tests it is little, so that it is often
/// full.
const ENTRIES: usize = if cfg!(test) { 300 } else { 65_536 };
const BYTES: usize = 16 << 20;

pub struct Trials {
    trials: Vec<Trial>,
    threads: usize,
    gathered: Batch,
}

impl Trials {
    pub fn new(trials: Vec<Trial>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { trials, threads, gathered: Batch::default() }
    }

    /// Sets how many threads run the trials.
    #[cfg(test)]
    pub fn threads(&mut self, threads: usize) {
        self.threads = threads;
    }

    /// Takes the entries of a second.
    pub fn second(&mut self, batch: &Batch) -> Result<()> {
        if self.trials.is_empty() {
            return Ok(());
        }
        batch.iter().for_each(|entry| self.gathered.push(&entry));
        if self.gathered.len() >= ENTRIES || self.gathered.bytes() >= BYTES { self.run() } else { Ok(()) }
    }

    pub fn finish(mut self) -> Result<Vec<Tried>> {
        self.run()?;
        self.trials.into_iter().map(Trial::finish).collect()
    }

    /// Records what was gathered, by every trial.
    fn run(&mut self) -> Result<()> {
        let Self { trials, threads, gathered } = self;
        let threads = (*threads).min(trials.len());
        // A thread that is done takes the next trial.
        let queue = Mutex::new(trials.iter_mut());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || -> Result<()> {
            while let Some(trial) = next() {
                gathered.iter().try_for_each(|entry| trial.entry(&entry).map(drop))?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let own = work();
            let done = others.into_iter().map(|other| other.join().expect("no trial panics"));
            done.fold(own, Result::and)
        })?;
        gathered.clear();
        Ok(())
    }
}
