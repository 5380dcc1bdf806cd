//! The oracle, where it can't know what the detector chose: as many of it as there were choices.
//! Those that predicted something else than was seen are given up, and one must be left.

use crate::call::{Books, Call, Face, Outcome, Spot, Terms};
use crate::oracle::{Oracle, SyntheticKey};
use std::collections::BTreeSet;

/// One sequence of choices after the other.
#[derive(Default)]
pub struct Choices {
    /// The choice that was made, and of how many.
    picks: Vec<(usize, usize)>,
    at: usize,
}

impl Choices {
    /// One of so many.
    pub fn pick(&mut self, of: usize) -> usize {
        if self.at == self.picks.len() {
            self.picks.push((0, of));
        }
        self.at += 1;
        self.picks[self.at - 1].0
    }

    /// Begins anew with the next sequence. `false`: there is none.
    fn turn(&mut self) -> bool {
        self.at = 0;
        while let Some((pick, of)) = self.picks.pop() {
            if pick + 1 < of {
                self.picks.push((pick + 1, of));
                return true;
            }
        }
        false
    }
}

pub struct Worlds {
    max_partitions: u64,
    left: Vec<Oracle>,
}

impl Worlds {
    pub fn new(terms: &Terms) -> Self {
        Self { max_partitions: terms.max_partitions, left: vec![Oracle::new(terms)] }
    }

    /// Takes in what a call has shown.
    ///
    /// # Errors
    /// The prediction, if it was another in every world.
    pub fn follow(&mut self, call: &Call, seen: &Outcome) -> Result<(), String> {
        let (mut left, mut otherwise) = (Vec::new(), Vec::new());
        let mut judge = |mut world: Oracle, choices: &mut Choices| {
            let predicted = Outcome { books: seen.books, ..world.call(call, choices) };
            if predicted != *seen {
                otherwise.push(predicted);
            } else if !left.contains(&world) {
                left.push(world);
            }
        };
        let chooses = self.max_partitions > 0 && !call.is_look();
        for world in self.left.drain(..) {
            let mut choices = Choices::default();
            if !chooses {
                judge(world, &mut choices);
                continue;
            }
            loop {
                judge(world.clone(), &mut choices);
                if !choices.turn() {
                    break;
                }
            }
        }
        self.left = left;
        if self.left.is_empty() {
            otherwise.dedup();
            return Err(format!("{call:?}\n   shows {seen:?}\nand not {otherwise:?}"));
        }
        seen.books.map_or(Ok(()), |books| self.balance(books, seen))
    }

    /// Checks what depends on when idle partitions are given back: it has bounds only.
    fn balance(&self, books: Books, seen: &Outcome) -> Result<(), String> {
        let Books { partitions, reclaimed, cleared } = books;
        let replaced = seen.numbers.as_ref().map_or(0, |numbers| numbers.replaced);
        let all = partitions + reclaimed + cleared + replaced;
        let balanced = |world: &Oracle| partitions >= world.tracked() && all <= world.inserted();
        if (self.max_partitions == 0 || partitions <= self.max_partitions) && self.left.iter().any(balanced) {
            return Ok(());
        }
        let [tracked, inserted] = [Oracle::tracked, Oracle::inserted].map(|of| of(&self.left[0]));
        Err(format!("{books:?} and {replaced} replaced, where {tracked} are tracked of {inserted} inserted"))
    }

    /// Whatever is counted in one of the worlds.
    fn counted(&self) -> (BTreeSet<Spot>, BTreeSet<SyntheticKey>) {
        let spots = self.left.iter().flat_map(|world| world.partitions.keys());
        let synthetic = self.left.iter().flat_map(|world| world.synthetic.keys());
        (spots.cloned().collect(), synthetic.cloned().collect())
    }

    /// Makes a call and follows it; then looks at all that is counted, or was before, so that it is
    /// known at once what a new partition replaced.
    ///
    /// # Errors
    /// As [`Worlds::follow`].
    pub fn watch(&mut self, call: &Call, face: &mut impl Face) -> Result<Outcome, String> {
        let mut counted = self.counted();
        let outcome = face.call(call);
        self.follow(call, &outcome)?;
        let (mut spots, mut synthetic) = self.counted();
        spots.append(&mut counted.0);
        synthetic.append(&mut counted.1);
        let both = |operation| {
            let gets = spots.iter().map(move |spot| Call::Get(spot.clone(), operation));
            let synthetic = synthetic.iter().map(move |key| key.clone().look(operation));
            gets.chain(synthetic).chain([Call::Hottest(operation, usize::MAX)])
        };
        for look in [0, 1].into_iter().flat_map(both).chain([Call::Statistics]) {
            self.follow(&look, &face.call(&look))?;
        }
        Ok(outcome)
    }
}
