//! The recipe, with the real SDK.

mod attempts;
mod capacity;
mod client;
mod describes;
mod emulator;
mod operations;
mod server;
mod session;
mod unsent;
