//! The C ABI, of which cbindgen makes `include/hotpart.h`.
//!
//! # The idea
//!
//! A thin boundary. A function checks its pointers, calls the Rust API, and catches what unwinds.
//! It decides nothing: what a call does is written beside the Rust function that it calls. Each
//! file is one topic, with its constants, types and functions together. The files' comments become
//! the header's.
//!
//! # The pattern
//!
//! ```ignore
//! /// Says what it does, for C: this becomes the header's comment.
//! #[unsafe(no_mangle)]
//! pub unsafe extern "C" fn hpd_table_open(
//!     detector: *const hpd_detector,
//!     table: *const c_char,
//!     table_len: usize,
//!     out: *mut *mut hpd_table,
//! ) -> i32 {
//!     boundary(|| {
//!         // SAFETY: as the caller promises; the detector outlives the handle.
//!         let (detector, name, out) = unsafe {
//!             (hpd_detector::as_ref(detector)?, text(Table, table, table_len)?, Out::new(Output, out)?)
//!         };
//!         hpd_table::give(detector.table(name)?, out)
//!     })
//! }
//! ```
//!
//! `boundary` catches a panic and turns a `Refused` into its code. A refusal names the argument
//! that it is about, so each of these takes the [`Argument`](crate::Argument) first: `Table`,
//! `Output`. One unsafe block turns the arguments into Rust values, each by a helper of its kind.
//! Everything after it is safe code.
//!
//! | argument | helper | in |
//! |---|---|---|
//! | a handle | `as_ref` of its `Opaque` type | `opaque.rs` |
//! | a text and its length | `text` | `boundary.rs` |
//! | a text that ends in NUL | `text_z` | `boundary.rs` |
//! | a struct that is read | `read_sized` | `boundary.rs` |
//! | a place for one value | `Out` | `boundary.rs` |
//! | a struct that is filled in | `Room` | `boundary.rs` |
//!
//! # Conventions
//!
//! - A text is a pointer and a length; NULL only with length 0. (A name that ends in `_z` or `_due`
//!   may take texts that end in NUL.)
//! - A function that can fail returns 0 or more, or an `HPD_ERR_*`.
//! - Any number of threads may call at once, except the functions that free or close an object.
//!   None may be called from a signal handler.
//!
//! # Invariants
//!
//! - Nothing unwinds into C: every function that runs code which may panic does so in `boundary`.
//! - A call that fails has changed nothing, and `*out` is untouched. (The comments of
//!   `hpd_observe`, `hpd_set_key_schema` and their like, of `hpd_notice_take` and of
//!   `hpd_take_missing_tables` say where they differ.)
//! - A refusal names its argument. It is kept for the thread where a call fails; a call that
//!   succeeds costs nothing more.
//! - A struct's size is its version: `boundary.rs` reads and writes it.
//! - Only `opaque.rs` makes a handle, borrows from it and frees it.
//!
//! # Its proof
//!
//! - `tests/abi.rs` and `abi/hotpart.c`: layouts, values and types are those of the version.
//! - `tests/header.rs`: the committed header is that of this source.
//! - `ci/bindings.sh`: the constants, layouts and functions in Python and Node are those of the
//!   header.
//! - `tests/refusals.rs`, `tests/refusals_c`: a call that gets no memory has changed nothing.
//! - `tests/c/bad_*.c`: arguments out of range, NULL, and structs of other versions are refused, or
//!   taken, as the header says.
//! - The fuzz target `abi`: no sequence of calls with any arguments reads or writes beyond what it
//!   was given, leaks, panics, or returns an unknown status.
//! - `ci/exports.sh`: the library exports what the header declares, and nothing else.
//!
//! # To add a function
//!
//! 1. Write the Rust API first, with its tests.
//! 2. Write the function in the file of its topic, where a reader of the header will look for it.
//! 3. `make bindings`, which writes the header first. Then `make abi`, for which a released version
//!    needs another number in Cargo.toml first.
//! 4. Add it to `tests/refusals_c` if it allocates, to `tests/c/bad_input.c`, and to the fuzz
//!    target `abi`.
//! 5. Call it in the bindings that need it. Python and Node have its declaration by `make
//!    bindings`.
//!
//! # To add a field or a constant
//!
//! A field goes at the end of a struct that says its size, with its default in the struct's
//! defaults; zero means what older callers mean. A constant gets the next free number, even if it
//! belongs between others. Then step 3, and the sizes that are written out in `tests/abi.rs`.
//!
//! # Safety
//!
//! The functions trust what the header demands of pointers: texts and structs are valid for their
//! lengths, handles came from the function that makes them and have not been freed, `out` can be
//! written to.

#![allow(clippy::missing_safety_doc)] // It is the same for all of them: above.

// The header's order: cbindgen follows that of the modules. A blank line between two keeps rustfmt
// from sorting them.
mod status;

mod operation;

mod detector;

mod record;

mod table;

mod warning;

mod thresholds;

mod throttle;

mod hottest;

mod statistics;

mod metrics;

mod log_line;

mod text;

mod observe;

mod dynamodb;

mod due;

// The parts that the functions are made of.
mod opaque;

mod boundary;

mod pending;

pub use detector::*;
pub use due::*;
pub use dynamodb::*;
pub use hottest::*;
pub use log_line::*;
pub use metrics::*;
pub use observe::*;
pub use operation::*;
pub use record::*;
pub use statistics::*;
pub use status::*;
pub use table::*;
pub use text::*;
pub use thresholds::*;
pub use throttle::*;
pub use warning::*;
