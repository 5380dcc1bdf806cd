//! The explorer's loop over scenarios and places, and what it reports.

use crate::catalogue;
use crate::library::Library;
use crate::places::{Outcome, Trace};
use crate::scenario::Scenario;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Set by `ci/explore.sh`: the directory of `libhotpart.so`.
const LIBRARY_DIR: &str = "HOTPART_LIBRARY_DIR";

const USAGE: &str = "explore [--every N] [--list] [NAME...]
  --every N  try each N-th place, from another one in each scenario; 1, the default: all
  --list     print the scenarios' names, and explore nothing
  NAME       only scenarios that have this in their name";

/// Wrong places that are printed of each scenario.
const PRINTED: usize = 3;
/// Strayed places that a scenario may have, if it has few, and one in how many, if it has many.
const STRAYED: usize = 5;
const STRAYED_OF: usize = 100;
/// Stuck places after which a scenario is left: each takes its time.
const STUCK: usize = 2;

struct Options {
    every: usize,
    list: bool,
    names: Vec<String>,
}

impl Options {
    fn parse(args: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self { every: 1, list: false, names: Vec::new() };
        let mut args = args.peekable();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--every" => options.every = args.next()?.parse().ok().filter(|&every| every > 0)?,
                "--list" => options.list = true,
                flag if flag.starts_with('-') => return None,
                _ => options.names.push(arg),
            }
        }
        Some(options)
    }

    fn chooses(&self, scenario: &Scenario) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| scenario.name.contains(name))
    }
}

/// The findings of one scenario, or of all.
#[derive(Default)]
struct Findings {
    places: usize,
    wrong: usize,
    stuck: usize,
    /// Places to which the call came by another way than when it was traced.
    strayed: usize,
}

pub fn main() -> ExitCode {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let scenarios: Vec<_> =
        catalogue::all().into_iter().filter(|scenario| options.chooses(scenario)).collect();
    if options.list {
        scenarios.iter().for_each(|scenario| println!("{}", scenario.name));
        return ExitCode::SUCCESS;
    }
    let dir = std::env::var(LIBRARY_DIR)
        .unwrap_or_else(|_| panic!("{LIBRARY_DIR} is not set: run this by ci/explore.sh"));
    let library = Library::load(&PathBuf::from(dir).join("libhotpart.so"));
    prove_sight(&library);
    let start = Instant::now();
    let (mut all, mut wrong) = (Findings::default(), 0);
    for (i, scenario) in scenarios.iter().enumerate() {
        let found = explore(i, scenario, &library, options.every);
        all.places += found.places;
        all.wrong += found.wrong;
        all.stuck += found.stuck;
        all.strayed += found.strayed;
        wrong += usize::from(found.wrong + found.stuck > 0 || found.strays());
    }
    let strayed = if all.strayed > 0 { format!(", {} strayed", all.strayed) } else { String::new() };
    println!(
        "explore: {} scenarios, {} places, {} wrong, {} stuck{strayed}, in {wrong} scenarios; {:.0} s",
        scenarios.len(),
        all.places,
        all.wrong,
        all.stuck,
        start.elapsed().as_secs_f64(),
    );
    if wrong > 0 || scenarios.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Proves that what must fail does.
fn prove_sight(library: &Library) {
    let [wrong, stuck] = catalogue::twins().map(|twin| {
        let (trace, after) = Trace::take(library, &twin);
        let (during, _) = trace.explore(trace.places() / 2, library, &twin, true);
        [after, during]
    });
    let is_wrong = |outcome: &Outcome| matches!(outcome, Outcome::Wrong(_));
    assert!(wrong.iter().all(is_wrong), "a record that is not in the list was not missed: {wrong:?}");
    assert!(stuck.iter().all(|outcome| *outcome == Outcome::Stuck), "a hanging thread went on: {stuck:?}");
}

/// Tries each `every`-th place of the scenario with this number.
fn explore(i: usize, scenario: &Scenario, library: &Library, every: usize) -> Findings {
    let (trace, after) = Trace::take(library, scenario);
    let mut found = Findings { places: 1, ..Findings::default() };
    let mut lines = Vec::new();
    found.note(&after, "after the call", &mut lines);
    for place in (i % every..trace.places()).step_by(every) {
        let busy = (place / every).is_multiple_of(2);
        let (outcome, on_the_way) = trace.explore(place, library, scenario, busy);
        found.places += 1;
        found.strayed += usize::from(!on_the_way);
        let offset = trace.address(place) - library.base;
        found.note(&outcome, &format!("at instruction {place}, {offset:#x}"), &mut lines);
        if found.stuck >= STUCK {
            break;
        }
    }
    println!("{}: {} places, {} wrong, {} stuck", scenario.name, found.places, found.wrong, found.stuck);
    if found.strays() {
        lines.push(format!("{} places were come to by another way than when traced", found.strayed));
    }
    lines.iter().for_each(|line| println!("    {line}"));
    found
}

impl Findings {
    /// Whether so many places strayed that it is not known what was explored.
    fn strays(&self) -> bool {
        self.strayed > STRAYED.max(self.places / STRAYED_OF)
    }

    fn note(&mut self, outcome: &Outcome, place: &str, lines: &mut Vec<String>) {
        let text = match outcome {
            Outcome::Right => return,
            Outcome::Wrong(text) => {
                self.wrong += 1;
                text.as_str()
            }
            Outcome::Stuck => {
                self.stuck += 1;
                "the others could not go on"
            }
        };
        if lines.len() < PRINTED {
            lines.push(format!("{place}: {text}"));
        }
    }
}
