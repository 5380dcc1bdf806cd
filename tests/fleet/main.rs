//! A fleet: what the lists of many processes, added up, say of a partition; and minutes that are over, whose lines add up.

mod bounds;
#[path = "../common/mod.rs"]
mod common;
mod list;
mod lists;
mod minutes;
