//! Rounds of contenders that take turns, so that what disturbs one disturbs the others.

/// A contender: what it is called, and a round of it, which returns nanoseconds for each record.
pub struct Lane<'a> {
    name: &'static str,
    round: Box<dyn FnMut() -> f64 + 'a>,
}

impl<'a> Lane<'a> {
    pub fn new(name: &'static str, round: impl FnMut() -> f64 + 'a) -> Self {
        Self { name, round: Box::new(round) }
    }
}

/// Nanoseconds for each record, by lane and round.
pub struct Rounds {
    names: Vec<&'static str>,
    costs: Vec<Vec<f64>>,
}

impl Rounds {
    /// Runs all lanes in turn, so many times and once before, to warm up.
    pub fn run(mut lanes: Vec<Lane<'_>>, rounds: usize) -> Self {
        Self::round(&mut lanes);
        Self::more(&mut lanes, rounds)
    }

    /// Runs them so many times, warm as they are.
    pub fn more(lanes: &mut [Lane<'_>], rounds: usize) -> Self {
        let mut own = Self::new(lanes);
        (0..rounds).for_each(|_| own.push(Self::round(lanes)));
        own
    }

    pub fn new(lanes: &[Lane<'_>]) -> Self {
        Self { names: lanes.iter().map(|lane| lane.name).collect(), costs: Vec::new() }
    }

    /// One round of each.
    pub fn round(lanes: &mut [Lane<'_>]) -> Vec<f64> {
        lanes.iter_mut().map(|lane| (lane.round)()).collect()
    }

    pub fn push(&mut self, costs: Vec<f64>) {
        self.costs.push(costs);
    }

    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// The cost of one.
    pub fn cost(&self, name: &str) -> Spread {
        self.spread(name, name, |cost, _| cost)
    }

    /// The cost of one for each nanosecond of the other, round by round.
    pub fn ratio(&self, name: &str, to: &str) -> Spread {
        self.spread(name, to, |cost, to| cost / to)
    }

    /// The cost of one beyond the other's, round by round.
    pub fn excess(&self, name: &str, over: &str) -> Spread {
        self.spread(name, over, |cost, over| cost - over)
    }

    /// The one of these that costs least.
    pub fn cheapest<'n>(&self, names: [&'n str; 2]) -> &'n str {
        let [a, b] = names;
        if self.cost(a).median <= self.cost(b).median { a } else { b }
    }

    fn spread(&self, a: &str, b: &str, of: impl Fn(f64, f64) -> f64) -> Spread {
        let at = |name: &str| self.names.iter().position(|own| *own == name).expect("a lane of these rounds");
        let (a, b) = (at(a), at(b));
        Spread::of(self.costs.iter().map(|round| of(round[a], round[b])).collect())
    }
}

/// The median of all rounds, and their range.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self { median: values[values.len() / 2], min: values[0], max: values[values.len() - 1] }
    }
}
