//! What observing requests records: every operation and every outcome, by hand from
//! DynamoDB's API reference; and that what is damaged is refused and changes nothing.
#![cfg(feature = "dynamodb")]

mod attribution;
mod batches;
mod case;
mod damage;
mod hostile;
mod items;
mod keys;
mod outcomes;
mod queries;
mod released;
mod statements;
mod transactions;
mod waiting;
mod warnings;
mod zeros;
