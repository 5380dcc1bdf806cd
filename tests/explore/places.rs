//! The places of a scenario: the instructions of the library before which its call is stopped.

use crate::child::{self, DONE, GO};
use crate::library::Library;
use crate::scenario::{Scenario, Step};
use crate::tracer::{State, Tracee};
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// How long the others may take for what takes them microseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same where they are known to hang.
const LITTLE: Duration = Duration::from_millis(50);

/// The result of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Right,
    Wrong(String),
    /// The others could not go on while the call stood still.
    Stuck,
}

/// The library's instructions in a call, in their order. What a thread does within the C library is
/// left out: others see that only whole, and the allocator's locks are not the library's.
pub struct Trace {
    /// The address of each.
    addresses: Vec<usize>,
    /// How each is best reached.
    ways: Vec<Way>,
}

/// A way to an instruction: to where another was for the n-th time, and from there step by step.
#[derive(Clone, Copy)]
struct Way {
    landmark: usize,
    nth: usize,
}

/// How many steps take as long as to run to where an instruction comes once more.
const VISIT: usize = 4;

/// A child that has stopped before its call.
struct Run {
    tracee: Tracee,
    socket: UnixStream,
}

impl Run {
    fn begin(library: &Library, scenario: &Scenario, busy: bool) -> Self {
        let (socket, theirs) = UnixStream::pair().expect("a pair of sockets");
        let hangs = scenario.others.iter().any(|step| matches!(step, Step::Hang));
        socket.set_read_timeout(Some(if hangs { LITTLE } else { PATIENCE })).expect("a socket");
        let own = socket.try_clone().expect("a descriptor more");
        let mut tracee = Tracee::fork(move || {
            drop(own);
            child::run(library, scenario, busy, theirs);
        });
        let state = tracee.wait();
        let mut run = Self { tracee, socket };
        if state != State::Stopped {
            let told = run.told();
            panic!("{}: {state:?} before the call: {told}", scenario.name);
        }
        run
    }

    /// The bytes that the child writes until it ends.
    fn told(&mut self) -> String {
        let mut text = String::new();
        match self.socket.read_to_string(&mut text) {
            Ok(_) => text,
            Err(error) => format!("{text} ({error})"),
        }
    }

    /// Lets the others do their part while the call stands where it is, then the call go on, and
    /// then asks what was wrong.
    fn finish(mut self) -> Outcome {
        let mut answer = [0];
        let done = self.socket.write_all(&[GO]).and_then(|()| self.socket.read_exact(&mut answer));
        match done {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Outcome::Stuck;
            }
            Err(error) => return Outcome::Wrong(format!("the others ended: {error}")),
            Ok(()) if answer != [DONE] => {
                let told = self.told();
                return Outcome::Wrong(format!("{}{told}", answer[0] as char));
            }
            Ok(()) => {}
        }
        // To the end of the call.
        match self.tracee.run() {
            State::Stopped => self.tracee.release(),
            State::Exited => {}
            State::Killed(signal) => return Outcome::Wrong(format!("the call ended by signal {signal}")),
        }
        let told = self.told();
        match self.tracee.wait() {
            State::Exited if told.is_empty() => Outcome::Right,
            State::Exited => Outcome::Wrong(told),
            state => Outcome::Wrong(format!("{state:?} after the call: {told}")),
        }
    }
}

impl Trace {
    /// Steps through the call of a scenario, during which the others do nothing; they do it after.
    /// Also says what came of that.
    pub fn take(library: &Library, scenario: &Scenario) -> (Self, Outcome) {
        let mut run = Run::begin(library, scenario, false);
        let mut addresses = Vec::new();
        while let Some(next) = run.tracee.advance(&library.text) {
            addresses.push(next);
        }
        let ways = ways(&addresses);
        (Self { addresses, ways }, run.finish())
    }

    pub fn places(&self) -> usize {
        self.addresses.len()
    }

    pub fn address(&self, place: usize) -> usize {
        self.addresses[place]
    }

    /// Stops the call at a place, and sees what comes of it. Also says whether it came to that
    /// place by the same way as in the trace.
    pub fn explore(
        &self,
        place: usize,
        library: &Library,
        scenario: &Scenario,
        busy: bool,
    ) -> (Outcome, bool) {
        if let Some(control) = scenario.control.clone() {
            let (others, tells) = (control, true);
            let control = Scenario { others, tells, control: None, ..scenario.clone() };
            let (outcome, on_the_way) = self.explore(place, library, &control, busy);
            return match &outcome {
                Outcome::Wrong(told) => match scenario.after_control(told) {
                    Some(scenario) => self.explore(place, library, &scenario, busy),
                    None => (outcome, on_the_way),
                },
                _ => (Outcome::Wrong(format!("its control: {outcome:?}")), on_the_way),
            };
        }
        let mut run = Run::begin(library, scenario, busy);
        let Way { landmark, nth } = self.ways[place];
        let state = run.tracee.run_to(self.addresses[landmark], nth);
        if state != State::Stopped {
            return (Outcome::Wrong(format!("{state:?} before its place")), false);
        }
        let mut next = Some(self.addresses[landmark]);
        for _ in landmark..place {
            next = next.and_then(|_| run.tracee.advance(&library.text));
        }
        (run.finish(), next == Some(self.addresses[place]))
    }
}

fn ways(addresses: &[usize]) -> Vec<Way> {
    let mut visits: HashMap<usize, usize> = HashMap::new();
    let mut best = (Way { landmark: 0, nth: 1 }, usize::MAX);
    let way = |(i, &address)| {
        let nth = visits.entry(address).and_modify(|nth| *nth += 1).or_insert(1);
        let (way, cost) = best;
        best = (way, cost.saturating_add(1));
        if *nth * VISIT < best.1 {
            best = (Way { landmark: i, nth: *nth }, *nth * VISIT);
        }
        best.0
    };
    addresses.iter().enumerate().map(way).collect()
}
