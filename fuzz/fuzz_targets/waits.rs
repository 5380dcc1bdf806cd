//! Attempts on tables whose key is declared, described, shown, forgotten or never known, with
//! clearing and time between. Compares all that is recorded, unread and waits with what the oracle
//! of tests/waits has kept of what was sent.
#![no_main]

#[allow(dead_code)] // It takes bytes and choices alone.
mod input;
#[path = "../../tests/waits/oracle.rs"]
mod oracle;
#[path = "../../tests/waits/watched.rs"]
mod watched;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| watched::follow(bytes));
