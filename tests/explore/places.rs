//! The places of a scenario: the instructions of the library before which its call is stopped.

use crate::child::{self, DONE, GO};
use crate::library::Library;
use crate::scenario::Scenario;
use crate::tracer::{INT3, State, Tracee};
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// How long the others may take for what takes them microseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Right,
    Wrong(String),
    /// The others could not go on while the call stood still.
    Stuck,
}

/// The instructions of a call, in their order.
pub struct Trace {
    /// The address of each.
    addresses: Vec<usize>,
    /// For each the last one before it, or itself, that is the only one at its address.
    landmarks: Vec<Option<usize>>,
    /// Those that are the library's own.
    pub places: Vec<usize>,
}

/// A child that has stopped before its call.
struct Run {
    tracee: Tracee,
    socket: UnixStream,
}

impl Run {
    fn begin(library: &Library, scenario: &Scenario, busy: bool) -> Self {
        let (socket, theirs) = UnixStream::pair().expect("a pair of sockets");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
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

    /// What the child writes until it ends.
    fn told(&mut self) -> String {
        let mut text = String::new();
        match self.socket.read_to_string(&mut text) {
            Ok(_) => text,
            Err(error) => format!("{text} ({error})"),
        }
    }

    /// Lets the others do their part while the call stands where it is, then the call go on, and then asks
    /// what was wrong.
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
    /// Steps through the call of a scenario, during which the others do nothing; they do it after. Also says
    /// what came of that.
    pub fn take(library: &Library, scenario: &Scenario) -> (Self, Outcome) {
        let mut run = Run::begin(library, scenario, false);
        let mut addresses = Vec::new();
        loop {
            let next = run.tracee.next();
            if run.tracee.byte(next) == INT3 {
                break;
            }
            addresses.push(next);
            let state = run.tracee.step();
            assert_eq!(state, State::Stopped, "{}", scenario.name);
        }
        let outcome = run.finish();
        let mut visits: HashMap<usize, usize> = HashMap::new();
        addresses.iter().for_each(|&address| *visits.entry(address).or_default() += 1);
        let mut landmark = None;
        let mut landmarks = Vec::new();
        let own = |address: &usize| library.text.contains(address);
        for (i, address) in addresses.iter().enumerate() {
            if visits[address] == 1 && own(address) {
                landmark = Some(i);
            }
            landmarks.push(landmark);
        }
        // What a thread does within the C library others see only whole, and its allocator's locks are not ours.
        let places = (0..addresses.len()).filter(|&i| own(&addresses[i])).collect();
        (Self { addresses, landmarks, places }, outcome)
    }

    pub fn address(&self, place: usize) -> usize {
        self.addresses[place]
    }

    /// Stops the call at a place, and sees what comes of it. Also says whether it came to that place by the same
    /// way as in the trace.
    pub fn explore(
        &self,
        place: usize,
        library: &Library,
        scenario: &Scenario,
        busy: bool,
    ) -> (Outcome, bool) {
        let mut run = Run::begin(library, scenario, busy);
        let landmark = self.landmarks[place];
        let mut state = State::Stopped;
        if let Some(landmark) = landmark {
            state = run.tracee.run_to(self.addresses[landmark]);
        }
        for _ in landmark.unwrap_or(0)..place {
            if state == State::Stopped {
                state = run.tracee.step();
            }
        }
        if state != State::Stopped {
            return (Outcome::Wrong(format!("{state:?} before its place")), false);
        }
        let on_the_way = run.tracee.next() == self.addresses[place];
        (run.finish(), on_the_way)
    }
}
