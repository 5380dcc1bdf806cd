//! Partitions: one operation's tallies, found by name.
//!
//! A column of a log has tens of thousands of partitions, and each is looked for among all that the
//! log has had. That is more than a processor's cache holds. So a look waits for memory three times,
//! and each time for what the one before has told: for its place, for its name, for the name's text.
//! Therefore [`AT_ONCE`] are looked for together, a step of all before the next step of any. Then
//! they wait at the same time.

use crate::report::name::{Name, NameRef};
use crate::report::tally::Tally;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// The number of partitions that are looked for together.
pub const AT_ONCE: usize = 32;

/// The place of a partition, and a part of its name's hash: a name is looked at only if that is the
/// same.
#[derive(Clone, Copy, Debug)]
struct Place {
    tag: u32,
    at: u32,
}

/// Partitions in the order in which they came. A detector tells those of all columns in about one
/// order, so that the tallies of one column lie one after another.
#[derive(Debug, Default)]
pub struct Partitions {
    places: HashTable<Place>,
    names: Vec<Name>,
    tallies: Vec<Tally>,
    hashing: DefaultHashBuilder,
}

impl Partitions {
    /// The bytes that a partition takes besides its name's text.
    pub const EACH: usize = size_of::<Name>() + size_of::<Tally>() + (size_of::<Place>() + 1) * 8 / 7 + 16;

    pub fn number(&self) -> usize {
        self.names.len()
    }

    /// Returns for how many there is room without more memory.
    pub fn capacity(&self) -> usize {
        self.names.capacity().max(self.tallies.capacity())
    }

    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.names.iter()
    }

    pub fn tallies(&self) -> impl Iterator<Item = &Tally> {
        self.tallies.iter()
    }

    pub fn tallies_mut(&mut self) -> impl Iterator<Item = &mut Tally> {
        self.tallies.iter_mut()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Tally)> {
        self.names.iter().zip(&self.tallies)
    }

    pub fn get(&self, name: NameRef<'_>) -> Option<&Tally> {
        self.find(name, self.hashing.hash_one(name)).map(|at| &self.tallies[at])
    }

    /// Returns the tally of a partition, and whether it is new.
    pub fn tally(&mut self, name: NameRef<'_>) -> (&mut Tally, bool) {
        let (at, is_new) = self.find_or_insert(name, self.hashing.hash_one(name));
        (&mut self.tallies[at], is_new)
    }

    /// Calls `see` with each name's place in `names`, its tally, and whether that is new. Of names
    /// there are [`AT_ONCE`] at most, and none twice.
    pub fn each(&mut self, names: &[NameRef<'_>], mut see: impl FnMut(usize, &mut Tally, bool)) {
        const NONE: u32 = u32::MAX;
        let (mut hashes, mut places) = ([0; AT_ONCE], [NONE; AT_ONCE]);
        let mut texts: [Option<NameRef<'_>>; AT_ONCE] = [None; AT_ONCE];
        for (hash, name) in hashes.iter_mut().zip(names) {
            *hash = self.hashing.hash_one(name);
        }
        for (place, hash) in places.iter_mut().zip(hashes).take(names.len()) {
            *place = self.places.find(hash, |place| place.tag == tag(hash)).map_or(NONE, |place| place.at);
        }
        for (text, &at) in texts.iter_mut().zip(&places) {
            *text = self.names.get(at as usize).map(Name::borrowed);
        }
        let is_found: [bool; AT_ONCE] =
            std::array::from_fn(|i| texts[i].is_some_and(|text| names.get(i) == Some(&text)));
        for (i, name) in names.iter().enumerate() {
            let (at, is_new) =
                if is_found[i] { (places[i] as usize, false) } else { self.find_or_insert(*name, hashes[i]) };
            see(i, &mut self.tallies[at], is_new);
        }
    }

    fn find(&self, name: NameRef<'_>, hash: u64) -> Option<usize> {
        let is_same =
            |place: &Place| place.tag == tag(hash) && self.names[place.at as usize].borrowed() == name;
        self.places.find(hash, is_same).map(|place| place.at as usize)
    }

    fn find_or_insert(&mut self, name: NameRef<'_>, hash: u64) -> (usize, bool) {
        if let Some(at) = self.find(name, hash) {
            return (at, false);
        }
        let at = self.names.len();
        self.names.push(name.owned());
        self.tallies.push(Tally::default());
        self.place(at, hash);
        (at, true)
    }

    fn place(&mut self, at: usize, hash: u64) {
        let Self { places, names, hashing, .. } = self;
        let hash_of = |place: &Place| hashing.hash_one(names[place.at as usize].borrowed());
        // Fewer than four billion names fit into memory.
        places.insert_unique(hash, Place { tag: tag(hash), at: at as u32 }, hash_of);
    }

    /// Keeps those for which `keep` returns `true`, in their order, and gives back the memory of the
    /// others.
    pub fn retain(&mut self, mut keep: impl FnMut(&Tally) -> bool) {
        let is_kept: Vec<bool> = self.tallies.iter().map(&mut keep).collect();
        let mut each = is_kept.iter();
        self.names.retain(|_| *each.next().expect("one for each"));
        let mut each = is_kept.iter();
        self.tallies.retain(|_| *each.next().expect("one for each"));
        self.names.shrink_to_fit();
        self.tallies.shrink_to_fit();
        self.places = HashTable::with_capacity(self.names.len());
        for at in 0..self.names.len() {
            self.place(at, self.hashing.hash_one(self.names[at].borrowed()));
        }
    }
}

/// Returns the bits of a hash that tell names apart. (Others tell where in the table to look.) In
/// tests they are few, so that names are taken for others.
fn tag(hash: u64) -> u32 {
    let tag = (hash >> 25) as u32;
    if cfg!(test) { tag & 3 } else { tag }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// The name that a number stands for. Several have the same text, cut elsewhere.
    fn name(n: usize) -> (Vec<u8>, Vec<u8>) {
        let text = format!("{}", n / 3);
        let (table, pk) = text.as_bytes().split_at(n % 3 % text.len());
        (table.into(), pk.into())
    }

    /// Adds 1 to each of some names, together.
    fn add(partitions: &mut Partitions, names: &[(Vec<u8>, Vec<u8>)]) {
        let borrowed: Vec<_> = names.iter().map(|(table, pk)| NameRef { table, pk }).collect();
        let mut seen = Vec::new();
        partitions.each(&borrowed, |i, tally, is_new| {
            assert_eq!(is_new, tally.count == 0);
            tally.count += 1;
            seen.push(i);
        });
        assert_eq!(seen, (0..names.len()).collect::<Vec<_>>());
    }

    #[test]
    fn partitions_are_found_however_many_are_looked_for_together() {
        let (mut partitions, mut map) = (Partitions::default(), BTreeMap::<_, u64>::new());
        let mut n = 0;
        for round in 0..3_000 {
            // Old and new ones, in runs of all lengths.
            let mut names: Vec<_> =
                (0..round % (AT_ONCE + 1)).map(|i| name((n + i * i * 7) % (round + 1))).collect();
            names.sort();
            names.dedup();
            n += 13;
            add(&mut partitions, &names);
            for name in names {
                *map.entry(name).or_default() += 1;
            }
            if round % 1_000 == 999 {
                // Those that are left are found, and those that went are new again.
                partitions.retain(|tally| tally.count % 2 == 0);
                map.retain(|_, count| *count % 2 == 0);
            }
            assert_eq!(partitions.number(), map.len());
        }
        for n in 0..3_100 {
            let (table, pk) = name(n);
            let count = partitions.get(NameRef { table: &table, pk: &pk }).map(|tally| tally.count);
            assert_eq!(count, map.get(&(table, pk)).copied());
        }
        let told = partitions.iter().map(|(name, tally)| {
            assert_eq!(name.size(), name.table().len() + name.pk().len());
            ((name.table().to_vec(), name.pk().to_vec()), tally.count)
        });
        assert_eq!(told.collect::<BTreeMap<_, _>>(), map);
    }
}
