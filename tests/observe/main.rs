//! Promise 11, observing requests: every operation and every outcome, by hand from
//! DynamoDB's API reference; and that what is damaged is refused and changes nothing.
#![cfg(feature = "dynamodb")]

mod attribution;
mod batches;
mod case;
mod damage;
mod hostile;
mod indexes;
mod items;
mod keys;
mod outcomes;
mod parts;
mod queries;
mod released;
mod searches;
mod statements;
mod transactions;
mod update_parts;
mod updates;
mod waiting;
mod warnings;
mod zeros;
