//! Inputs: whatever holds a log, read as a user's file is.

mod csv;
mod damage;
mod formats;
mod read;
mod schema;
mod sources;
