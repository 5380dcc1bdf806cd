//! The decisions of `make bench` that need no measuring: a benchmark has no test harness of its
//! own.

#[path = "../benches/report/counts.rs"]
mod counts;
#[path = "../benches/report/patience.rs"]
mod patience;

use counts::{COMMITTED, Counts, GOALS};
use patience::{Patience, SPEED_UP_MIN};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);
const SOUND: f64 = 1.95;
const POOR: f64 = 1.05;

/// Rounds of half a second, with one control after the other, until it has had enough.
fn rounds(wanted: usize, controls: impl IntoIterator<Item = f64>) -> Patience {
    let mut patience = Patience::new(wanted, LIMIT);
    let mut controls = controls.into_iter();
    let mut elapsed = Duration::ZERO;
    while patience.another() {
        elapsed += Duration::from_millis(500);
        assert!(elapsed < 2 * LIMIT, "it never gives up");
        patience.note(controls.next().expect("a control"), elapsed);
    }
    patience
}

#[test]
fn rounds_end_with_the_last_sound_one_that_is_wanted() {
    let patience = rounds(15, [SOUND; 15]);
    assert_eq!((patience.sound(), patience.poor(), patience.gave_up()), (15, 0, None));
    assert!(patience.judges());
    assert_eq!(patience.describe(), "15 sound rounds, 0 not");
}

#[test]
fn poor_rounds_are_repeated_as_long_as_there_is_time() {
    let patience = rounds(15, [POOR; 100].into_iter().chain([SOUND; 15]));
    assert_eq!((patience.sound(), patience.poor(), patience.gave_up()), (15, 100, None));
}

#[test]
fn a_second_core_that_never_comes_is_given_up_on_in_time() {
    let patience = rounds(15, std::iter::repeat(POOR));
    assert_eq!((patience.sound(), patience.poor(), patience.gave_up()), (0, 240, Some(LIMIT)));
    assert!(!patience.judges());
    let said = "the second core was not there in any of 240 rounds; gave up after 120 s";
    assert_eq!(patience.describe(), said);
}

#[test]
fn a_second_core_that_comes_and_goes_is_given_up_on_in_time() {
    let comes_and_goes = (0..).map(|round| if round % 40 == 39 { SOUND } else { POOR });
    let patience = rounds(15, comes_and_goes);
    assert_eq!((patience.sound(), patience.poor(), patience.gave_up()), (6, 234, Some(LIMIT)));
    assert!(patience.judges());
    assert_eq!(patience.describe(), "6 sound rounds, 234 not; gave up after 120 s");
}

#[test]
fn too_few_sound_rounds_are_told_and_not_judged() {
    let patience = rounds(15, [SOUND; 4].into_iter().chain(std::iter::repeat(POOR)));
    assert!(!patience.judges());
    let said = "4 sound rounds, 236 not; gave up after 120 s: too few to judge";
    assert_eq!(patience.describe(), said);
    let patience = rounds(15, [SOUND].into_iter().chain(std::iter::repeat(POOR)));
    let said = "1 sound round, 239 not; gave up after 120 s: too few to judge";
    assert_eq!(patience.describe(), said);
}

#[test]
fn all_rounds_that_were_wanted_are_enough_to_judge_by() {
    assert!(rounds(3, [SOUND; 3]).judges());
}

#[test]
fn one_round_is_run_though_there_is_no_time() {
    let mut patience = Patience::new(15, Duration::ZERO);
    assert!(patience.another());
    patience.note(SOUND, Duration::from_millis(500));
    assert!(!patience.another());
    assert_eq!(patience.gave_up(), Some(Duration::from_millis(500)));
}

#[test]
fn a_control_decides_whether_a_round_is_sound() {
    let mut patience = Patience::new(15, LIMIT);
    let mut sound = |control: f64| patience.note(control, Duration::ZERO);
    assert!(sound(SPEED_UP_MIN) && !sound(SPEED_UP_MIN - 0.01) && !sound(f64::NAN));
    assert_eq!((patience.sound(), patience.poor()), (1, 2));
}

#[test]
fn counts_are_read_with_what_they_were_taken_with() {
    let text = "# Instructions.\n# machine: x86_64\n# compiler: rustc 1\nrecord      298.7\nbatch/16   17\n";
    let counts = Counts::read(text).unwrap();
    assert_eq!((counts.machine.as_str(), counts.compiler.as_str()), ("x86_64", "rustc 1"));
    assert_eq!(counts.calls, [("record".to_string(), 298.7), ("batch/16".to_string(), 17.0)]);
    assert_eq!((counts.of("batch/16"), counts.of("batch")), (Some(17.0), None));
}

#[test]
fn lines_that_are_no_counts_are_refused() {
    let heads = "# machine: x86_64\n# compiler: rustc 1\n";
    for line in ["record", "record ", "record many", "record -1", "record 0", "record NaN", "record inf", ""]
    {
        assert_eq!(Counts::read(&format!("{heads}{line}\n")), Err(format!("no count: {line:?}")));
    }
    assert_eq!(Counts::read("# compiler: rustc 1\n"), Err("no machine".into()));
    assert_eq!(Counts::read("# machine: x86_64\n"), Err("no compiler".into()));
}

#[test]
fn what_is_committed_has_a_count_for_each_goal() {
    let counts = Counts::read(COMMITTED).unwrap();
    for goal in GOALS {
        assert!(counts.of(goal.call).is_some(), "{}: {}", goal.work, goal.call);
        assert!(goal.aim < goal.least, "{}", goal.work);
    }
}
