//! Records each of which is its partition's first in a second, and so closes the second before:
//! while the window fills, and once it is full. A pass records every key once, and the clock is set
//! on by a second before it.

use crate::Scale;
use crate::abi::{CCaller, Library};
use crate::lanes::{C, DASHMAP};
use crate::peers::Dashmap;
use crate::recorder::{Map, Recorder, WINDOW_SECONDS};
use crate::rounds::{Lane, Rounds};
use crate::workload::Workload;
use std::cell::RefCell;

/// The pass that fills the window: a count is of the second under way and of a whole window before
/// it.
pub const FILLED: usize = WINDOW_SECONDS as usize + 1;

/// A round is a pass.
pub struct Turns {
    /// The passes from the second to the one that fills the window.
    pub filling: Rounds,
    /// Those after: with each second that opens, one is over.
    pub full: Rounds,
}

impl Turns {
    pub fn run(scale: &Scale, library: &Library) -> Self {
        // Each pass has an order of its own: by one and the same, memory that was handed out in
        // that order would be read in it too, which is no key's way in earnest.
        let workload = RefCell::new(Workload::each_once(scale.many, 0));
        let dashmap = Dashmap::holding(&workload.borrow());
        // The first pass, in second 0: it makes the partitions.
        let caller = CCaller::holding_by_manual_clock(library, &workload.borrow());
        let (mut pass, mut second) = (0, 0);
        let mut lanes = vec![
            Lane::new(DASHMAP, || {
                pass += 1;
                workload.replace(Workload::each_once(scale.many, pass));
                workload.borrow().time(|pk| dashmap.record(pk))
            }),
            Lane::new(C, || {
                second += 1;
                caller.set_time_ms(second * 1000);
                let workload = workload.borrow();
                // Each record turns its second: a key's count is one more, until the window is
                // full.
                let counts = workload.partitions as i64 * (second as i64 + 1).min(FILLED as i64);
                workload.time_passes(|| assert_eq!(caller.record(workload.visits()), counts))
            }),
        ];
        let filling = Rounds::more(&mut lanes, FILLED - 1);
        let full = Rounds::more(&mut lanes, scale.rounds);
        Self { filling, full }
    }
}
