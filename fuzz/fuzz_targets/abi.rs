//! Sequences of calls of the C ABI with any arguments that the header does not make undefined. None
//! may read or write beyond what it was given, leak, panic, or return what is no status.
#![no_main]

mod argument;
mod counting;
mod input;
mod world;

use input::Input;
use libfuzzer_sys::fuzz_target;
use world::World;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let mut world = World::default();
    for _ in 0..500 {
        if input.is_over() {
            break;
        }
        let call = input.below(48);
        world.call(&mut input, call);
    }
});
