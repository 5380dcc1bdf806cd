//! A fleet: what the lists of many processes, added up, say of a partition; and minutes that are
//! over, whose lines add up.

mod blind;
mod bounds;
#[path = "../common/mod.rs"]
mod common;
mod list;
mod lists;
mod made_up;
mod minutes;
mod process;
mod rules;
mod told;
