//! How long rounds are repeated on a machine whose second core comes and goes. Knows no clock: it
//! is told.

use std::time::Duration;

/// A round is sound if its control, work that two threads do not share, ran so many times faster on
/// two.
pub const SPEED_UP_MIN: f64 = 1.7;
/// From so many sound rounds on their median is judged, or from all that were wanted.
const FEW: usize = 5;

/// Counts rounds and their time, until there are enough sound ones or it is over.
pub struct Patience {
    wanted: usize,
    limit: Duration,
    sound: usize,
    poor: usize,
    elapsed: Duration,
}

impl Patience {
    pub fn new(wanted: usize, limit: Duration) -> Self {
        Self { wanted, limit, sound: 0, poor: 0, elapsed: Duration::ZERO }
    }

    /// Whether to run another round. The first one always, so that there is something to tell.
    pub fn another(&self) -> bool {
        self.rounds() == 0 || (self.sound < self.wanted && self.elapsed < self.limit)
    }

    /// Takes note of a round, and of the time since the first one began. Whether it was sound.
    pub fn note(&mut self, control: f64, elapsed: Duration) -> bool {
        let sound = control >= SPEED_UP_MIN;
        *(if sound { &mut self.sound } else { &mut self.poor }) += 1;
        self.elapsed = elapsed;
        sound
    }

    fn rounds(&self) -> usize {
        self.sound + self.poor
    }

    pub fn sound(&self) -> usize {
        self.sound
    }

    pub fn poor(&self) -> usize {
        self.poor
    }

    /// Whether the sound rounds are enough to judge by.
    pub fn judges(&self) -> bool {
        self.sound >= FEW.min(self.wanted)
    }

    /// After how long it gave up, if it did.
    pub fn gave_up(&self) -> Option<Duration> {
        (self.sound < self.wanted).then_some(self.elapsed)
    }

    /// `15 sound rounds, 2 not`.
    pub fn describe(&self) -> String {
        let Self { sound, poor, .. } = self;
        let rounds = match sound {
            0 => format!("the second core was not there in any of {} rounds", self.rounds()),
            1 => format!("1 sound round, {poor} not"),
            _ => format!("{sound} sound rounds, {poor} not"),
        };
        let gave_up = self.gave_up().map(|after| format!("; gave up after {:.0} s", after.as_secs_f64()));
        let few = *sound > 0 && !self.judges();
        format!("{rounds}{}{}", gave_up.unwrap_or_default(), if few { ": too few to judge" } else { "" })
    }
}
