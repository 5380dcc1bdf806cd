//! Members that are wanted of an object, found in one walk over it, however many they are.
//!
//! An item may have 400 KB and a table 20 indexes. A walk for each attribute of each index would
//! cost the product of the two.

use crate::dynamodb::json::{self, Malformed};

/// The names of wanted members, sorted. Beside each stands the text of its value, if the object has
/// it.
#[derive(Default)]
pub(crate) struct Wanted<'n, 'a>(Vec<(&'n str, Option<&'a str>)>);

impl<'n, 'a> Wanted<'n, 'a> {
    /// Wants the members of these names, of which none is found yet.
    pub(crate) fn new(names: impl Iterator<Item = &'n str>) -> Self {
        let mut wanted: Vec<_> = names.map(|name| (name, None)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        Self(wanted)
    }

    /// Looks for the members in `object`. Of several with one name the first is taken.
    pub(crate) fn find_in(mut self, object: &'a str) -> Result<Self, Malformed> {
        if self.0.is_empty() {
            return Ok(self);
        }
        json::each(object, |name, value| {
            if let Ok(at) = self.0.binary_search_by_key(&&*name, |&(name, _)| name) {
                self.0[at].1.get_or_insert(value);
            }
            Ok::<(), Malformed>(())
        })?;
        Ok(self)
    }

    /// Returns the value of a member. One that is null is absent.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let at = self.0.binary_search_by_key(&name, |&(name, _)| name).ok()?;
        self.0[at].1.filter(|value| *value != "null")
    }
}
