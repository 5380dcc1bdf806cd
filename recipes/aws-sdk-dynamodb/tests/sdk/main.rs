//! The recipe, with the real SDK.

mod attempts;
mod client;
mod emulator;
mod operations;
mod server;
mod session;
mod unsent;
