//! The overrides of some tables and models: lists that are read while others replace them.
//!
//! A list is copied on write. Setting one override makes a new list with all the others in it, and
//! swaps the pointer. So a reader sees both sides of an override as they were set together, and
//! takes no lock. Lists are short: there are 256, by the hash of the name.

use crate::error::OutOfMemory;
use crate::operation::Operation;
use crate::policy::thresholds::{Scope, Thresholds};
use crate::policy::timeline::{Span, Timeline};
use crate::sys::memory::{try_box, try_bytes};
use crate::sys::rcu::Watched;
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};

/// The thresholds of one table or model.
pub(crate) struct Override {
    pub(crate) scope: Scope,
    name: Vec<u8>,
    pub(crate) thresholds: Thresholds,
    /// The change since which they are in force.
    since: u64,
    /// The thresholds before, where that is remembered.
    pub(crate) past: Timeline,
}

/// The moment at which an override is set, and the thresholds that it is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) now: u32,
    /// The second since which it is remembered what was in force; `None`: it is not.
    pub(crate) oldest: Option<u32>,
    /// The detector's own thresholds.
    pub(crate) own: [u64; 2],
}

impl Setting {
    /// Returns the thresholds of a table that overrides its own by these.
    pub(crate) fn with(&self, thresholds: Thresholds) -> [u64; 2] {
        Operation::ALL.map(|operation| thresholds.of(operation).unwrap_or(self.own[operation.index()]))
    }

    /// Returns the second since which it is remembered; where it is not, one that never comes.
    pub(crate) fn oldest(&self) -> u32 {
        self.oldest.unwrap_or(u32::MAX)
    }
}

impl Override {
    pub(crate) fn is(&self, scope: Scope, name: &[u8]) -> bool {
        self.scope == scope && self.name == name
    }

    /// Returns the thresholds of this table now.
    pub(crate) fn present(&self, setting: Setting) -> Span {
        Span::since(self.since, setting.with(self.thresholds))
    }

    /// Makes a copy without what is no longer remembered.
    pub(crate) fn copy(&self, oldest: u32) -> Result<Self, OutOfMemory> {
        Ok(Self { name: try_bytes([&self.name])?, past: self.past.with(None, oldest)?, ..*self })
    }

    /// Makes a copy in which what was before went by a change.
    pub(crate) fn finished(&self, change: u64, setting: Setting) -> Result<Self, OutOfMemory> {
        let past = self.past.over(change, setting.now, setting.oldest())?;
        Ok(Self { name: try_bytes([&self.name])?, past, ..*self })
    }

    /// Makes this override anew, or one that was not there, with other thresholds since a change.
    pub(crate) fn replaced(
        old: Option<&Self>,
        (scope, name): (Scope, &[u8]),
        thresholds: Thresholds,
        change: u64,
        setting: Setting,
    ) -> Result<Self, OutOfMemory> {
        let nothing = Timeline::default();
        let (past, before, since) =
            old.map_or((&nothing, Thresholds::default(), 0), |old| (&old.past, old.thresholds, old.since));
        let is_same = before == thresholds;
        let span = Span::since(since, setting.with(before));
        let span = setting.oldest.filter(|_| !is_same && scope == Scope::Table).map(|_| span);
        let past = past.with(span, setting.oldest())?;
        let since = if is_same { since } else { change };
        Ok(Self { scope, name: try_bytes([name])?, thresholds, since, past })
    }
}

/// The overrides whose names hash alike. Replaced whole, never changed, so that the two sides of an
/// override are always read as they were set.
pub(crate) struct List {
    pub(crate) overrides: Vec<Override>,
    #[cfg(loom)]
    watch: Watch,
}

impl Watched for List {
    #[cfg(loom)]
    fn watch(&self) -> &Watch {
        &self.watch
    }
}

impl List {
    /// Makes a list of these overrides, or none if there are none. One that was removed stays for
    /// as long as it is remembered what it said.
    pub(crate) fn try_new(
        overrides: impl Iterator<Item = Result<Override, OutOfMemory>>,
        oldest: u32,
    ) -> Result<Option<Box<Self>>, OutOfMemory> {
        let mut list = Self {
            overrides: Vec::new(),
            #[cfg(loom)]
            watch: Watch::new(Kind::Override),
        };
        for each in overrides {
            let each = each?;
            if each.thresholds != Thresholds::default() || !each.past.is_over(oldest) {
                list.overrides.try_reserve_exact(1)?;
                list.overrides.push(each);
            }
        }
        if list.overrides.is_empty() { Ok(None) } else { Ok(Some(try_box(list)?)) }
    }

    pub(crate) fn bytes(&self) -> usize {
        let each = |each: &Override| size_of::<Override>() + each.name.capacity() + each.past.bytes();
        size_of::<Self>() + self.overrides.iter().map(each).sum::<usize>()
    }
}
