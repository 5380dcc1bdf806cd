//! Judges warnings: each says what was so, and none is missing.

use crate::heard::Heard;
use crate::lives::{Course, Lives};
use crate::oracle::{Log, Moment};
use crate::scenario::{Key, Kind, Rules};
use std::collections::BTreeSet;

/// A record and what came of it.
#[derive(Debug)]
pub struct Post {
    pub key: Key,
    pub kind: Kind,
    /// Its first moment, and its last.
    pub span: (Moment, Moment),
    /// The count that it returned.
    pub count: u64,
    /// Those that were heard during the call.
    pub warnings: Vec<Heard>,
    /// Whether it was hot, if that is known although the threshold changed meanwhile.
    pub hot: Option<bool>,
}

/// All records of which the returned count is known, in the order of their ends.
#[derive(Debug)]
pub struct Alarms {
    pub posts: Vec<Post>,
    rules: Rules,
}

impl Post {
    fn warning(&self) -> Option<&Heard> {
        self.warnings.first()
    }
}

impl Alarms {
    pub fn new(rules: Rules) -> Self {
        Self { posts: Vec::new(), rules }
    }

    pub fn interval_ms(&self) -> u64 {
        u64::from(self.rules.interval_seconds) * 1_000
    }

    /// When the last warning about writes of this partition may have been won at the latest.
    pub fn last_warned(&self, key: Key, log: &Log) -> Option<u64> {
        self.of(key).filter(|post| post.warning().is_some()).map(|post| log.moments[post.span.1]).max()
    }

    fn of(&self, key: Key) -> impl Iterator<Item = &Post> {
        self.posts.iter().filter(move |post| post.key == key && post.kind == Kind::Write)
    }

    /// The most thresholds, and the least, that were in force during a record.
    fn thresholds(post: &Post, log: &Log) -> (u64, u64) {
        let during = &log.thresholds[post.span.0..=post.span.1];
        let (least, most) = (during.iter().min(), during.iter().max());
        (*least.expect("a moment at least"), *most.expect("a moment at least"))
    }

    /// Returns a text for each thing that is wrong. `complete`: no warning state was forgotten but
    /// with a partition that was replaced, and the last record of each that was hot took what was
    /// suppressed. Warnings and suppressed records are the statistics'.
    pub fn judge(
        &self,
        log: &Log,
        lives: &Lives,
        complete: bool,
        warnings: u64,
        suppressed: u64,
    ) -> Vec<String> {
        let mut wrong: Vec<String> = self.posts.iter().filter_map(|post| self.misheard(post, log)).collect();
        let heard: usize = self.posts.iter().map(|post| post.warnings.len()).sum();
        if warnings != heard as u64 {
            wrong.push(format!("{warnings} warnings in the statistics, {heard} heard"));
        }
        let keys: BTreeSet<Key> = self.posts.iter().map(|post| post.key).collect();
        if !log.clears.is_empty() || log.own_clear {
            return wrong;
        }
        let (mut least, mut most) = (0, 0);
        for key in keys {
            let hot = self.hot(key, log);
            (least, most) = (least + hot.0, most + hot.1);
            let courses = lives.courses(key);
            let tried = courses.iter().map(|course| self.judge_one(key, log, course, complete));
            wrong.extend(tried.min_by_key(Vec::len).unwrap_or_default());
        }
        let tallied = warnings + suppressed;
        if !(least..=most).contains(&tallied) {
            wrong.push(format!("{tallied} hot records in the statistics, there were {least} to {most}"));
        }
        wrong
    }

    /// The same of one partition, by what became of it.
    fn judge_one(&self, key: Key, log: &Log, course: &Course, complete: bool) -> Vec<String> {
        let mut wrong: Vec<String> = self.too_often(key, log, course).into_iter().collect();
        wrong.extend(self.silent(key, log, course));
        let (least, most) = self.hot(key, log);
        let told: u64 = self.of(key).flat_map(|post| &post.warnings).map(|heard| 1 + heard.suppressed).sum();
        // What a life has suppressed goes with it.
        let all = complete && course.ends == 0;
        if (all && told < least) || told > most {
            wrong.push(format!("{key}: warnings tell of {told} hot records, there were {least} to {most}"));
        }
        wrong
    }

    /// How many records were hot at the least, and at the most.
    fn hot(&self, key: Key, log: &Log) -> (u64, u64) {
        let hot = |of: fn((u64, u64)) -> u64| {
            let hot = |post: &&Post| post.hot.unwrap_or(post.count >= of(Self::thresholds(post, log)));
            self.of(key).filter(hot).count() as u64
        };
        (hot(|(_, most)| most), hot(|(least, _)| least))
    }

    /// A warning that does not say what its record found.
    fn misheard(&self, post: &Post, log: &Log) -> Option<String> {
        let heard = post.warning()?;
        let during = &log.thresholds[post.span.0..=post.span.1];
        let right = post.warnings.len() == 1
            && (heard.key, heard.kind) == (post.key, post.kind)
            && heard.count == post.count
            && heard.count >= heard.threshold
            && during.contains(&heard.threshold)
            && (1..=heard.count).contains(&heard.peak);
        (!right).then(|| format!("a record that returned {} gave {:?}", post.count, post.warnings))
    }

    /// Two warnings of one life within one interval. A record whose partition was replaced before
    /// it warned may have had no warning state, and then it warns.
    fn too_often(&self, key: Key, log: &Log, course: &Course) -> Option<String> {
        let replaced = |post: &Post| course.replaced && post.span.0 == log.begun;
        let warned: Vec<_> =
            self.of(key).filter(|post| post.warning().is_some() && !replaced(post)).collect();
        let time = |at: Moment| log.moments[at];
        let apart = |a: &Post, b: &Post| time(b.span.1).saturating_sub(time(a.span.0));
        let pairs = warned.iter().enumerate().flat_map(|(i, a)| warned[..i].iter().map(move |b| (a, b)));
        let of_one_life = pairs.filter(|(a, b)| course.life(a.span.0) == course.life(b.span.0));
        of_one_life.map(|(a, b)| apart(a, b).max(apart(b, a))).find_map(|most| {
            (most < self.interval_ms()).then(|| format!("{key}: two warnings {most} ms apart"))
        })
    }

    /// A hot record that gave no warning, although its life gave none in the interval before. One
    /// whose partition was replaced before it warned may have met the next life's warning state.
    fn silent(&self, key: Key, log: &Log, course: &Course) -> Option<String> {
        let time = |at: Moment| log.moments[at];
        let hot = |post: &&Post| post.count >= Self::thresholds(post, log).1;
        let own = |post: &Post| post.span.0 == log.begun;
        self.of(key).filter(hot).filter(|post| post.warning().is_none()).find_map(|post| {
            let excused = self.of(key).any(|other| {
                let before = time(other.span.0) <= time(post.span.1);
                let near = time(post.span.0) < time(other.span.1) + self.interval_ms();
                let same = course.life(other.span.0) == course.life(post.span.0)
                    || course.replaced && (own(post) || own(other));
                other.warning().is_some() && before && near && same
            });
            let count = post.count;
            (!excused).then(|| format!("{key}: a record that returned {count} gave no warning"))
        })
    }
}
