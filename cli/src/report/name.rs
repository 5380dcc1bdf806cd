//! A partition's name: its table and its key.

use crate::columns::rows::Had;
use std::hash::{Hash, Hasher};

/// A partition's table and key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    table_len: u16,
    text: Box<[u8]>,
}

/// A name that is borrowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NameRef<'a> {
    pub table: &'a [u8],
    pub pk: &'a [u8],
}

impl Name {
    pub fn table(&self) -> &[u8] {
        &self.text[..self.table_len.into()]
    }

    pub fn pk(&self) -> &[u8] {
        &self.text[self.table_len.into()..]
    }

    /// Returns the bytes of both texts.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    pub fn borrowed(&self) -> NameRef<'_> {
        NameRef { table: self.table(), pk: self.pk() }
    }
}

impl NameRef<'_> {
    pub fn owned(self) -> Name {
        // No table's name has more than 1,024 bytes.
        Name { table_len: self.table.len() as u16, text: [self.table, self.pk].concat().into() }
    }
}

impl<'a> From<&Had<'a>> for NameRef<'a> {
    fn from(had: &Had<'a>) -> Self {
        Self { table: had.table, pk: had.pk }
    }
}

impl Hash for NameRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.table);
        state.write(self.pk);
        state.write_usize(self.table.len());
    }
}
