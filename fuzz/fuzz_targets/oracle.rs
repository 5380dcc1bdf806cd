//! Sequences of calls under the manual clock: the C ABI must show exactly what the oracle of
//! tests/properties works out from a list of timestamps, which checks the contract's bounds as it
//! does. At the bound of partitions there is one oracle for each choice that the detector may have
//! made.
#![no_main]

#[path = "../../tests/properties/c_face.rs"]
mod c_face;
#[path = "../../tests/properties/c_snapshots.rs"]
mod c_snapshots;
#[path = "../../tests/properties/c_warnings.rs"]
mod c_warnings;
#[allow(dead_code)] // Times are absolute here.
#[path = "../../tests/properties/call.rs"]
mod call;
mod calls;
#[path = "../../tests/properties/exchange.rs"]
mod exchange;
mod input;
#[path = "../../tests/properties/observed.rs"]
mod observed;
#[path = "../../tests/properties/oracle.rs"]
mod oracle;
#[path = "../../tests/properties/samples.rs"]
mod samples;
#[path = "../../tests/properties/store.rs"]
mod store;
#[path = "../../tests/properties/worlds.rs"]
mod worlds;

use c_face::CFace;
use call::{Call, Face};
use calls::Calls;
use input::Input;
use libfuzzer_sys::fuzz_target;
use worlds::Worlds;

/// Calls at most: the oracle adds up all records at each.
const CALLS: usize = 300;

fuzz_target!(|bytes: &[u8]| {
    let mut calls = Calls::new(Input::new(bytes));
    let (mut worlds, mut c) = (Worlds::new(calls.terms()), CFace::new(calls.terms()));
    let is_bounded = calls.terms().max_partitions > 0;
    for _ in 0..CALLS {
        if calls.input.is_over() {
            break;
        }
        let call = calls.next();
        let followed = if is_bounded {
            worlds.watch(&call, &mut c).map(drop)
        } else {
            worlds.follow(&call, &c.call(&call))
        };
        followed.unwrap_or_else(|otherwise| panic!("{otherwise}"));
    }
    // Looks at all that is counted.
    worlds.watch(&Call::Statistics, &mut c).unwrap_or_else(|otherwise| panic!("{otherwise}"));
});
