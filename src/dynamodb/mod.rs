//! Attribution: which partitions a request to DynamoDB touched, and how much capacity each took.
//!
//! The idea: this folder is a function. In go a request, its response and the tables' key schemas;
//! out come the partitions. Its one effect is that it keeps keys of tables that it infers, in
//! `schema`. It knows no detector, so it can be read alone, and a request that it refuses has
//! recorded nothing. Its caller (`detector/observe.rs`) records the outcome.
//!
//! ```text
//!  operation       request body              status, response body          schemas, mode
//!      |                |                            |                            |
//!  ApiOperation -->  request::actions          response::outcome                  |
//!  (PutItem ...)        |  one Action an item:       |  success, throttled,       |
//!                       |  table, what it says       |  condition failed, ...     |
//!                       |  of its key, least cost    |                            |
//!                       +--------------+-------------+----------------------------+
//!                                      |
//!                         outcome::attribute_request
//!                                      |
//!      1  target::Finder       the resource and key values of each action, by the schema
//!      2  outcome, success     a Charge for each key, or a throttle, by the outcome
//!      3  unprocessed          a batch's unprocessed items are charged no more
//!      4  index_write          a Charge more for each global index that a written item is in
//!      5  charge               the response's capacity is shared among the charges
//!      6  check                what is not a part of its own can be recorded, or nothing is
//!                                      |
//!                                 Attribution
//!        charges   throttles   unprocessed   unread   unkeyed_index_units   estimated
//!        waiting   learnt
//! ```
//!
//! An example, in capacity mode. `orders` has the key `id` and a global index `by-user` with the
//! key `user`. A PutItem of `{id: "7", user: "ann", ...}`, 1,500 bytes long, was answered with 2
//! units for the table and 2 for `by-user`. Step 1 finds the key `7` of `orders`. Step 2 charges it
//! with the estimate, 2 units for 1,500 bytes. Step 4 adds a charge for the key `ann` of
//! `orders/index/by-user`. Step 5 puts the answered units in place of both estimates. The detector
//! then records a write of 2 units on each of the two partitions, and reports one action: the
//! index's write is none of its own.
//!
//! Parts of tables whose key is not known are left out, and counted in `waiting`. Their attempt is
//! kept by [`waiting`] until the key is known. Then it is worked out again, for that table alone.
//!
//! # The files
//!
//! - `request` reads a request body into actions: items and batches by itself, a Query's key
//!   condition by `query` and `key_condition`, statements by `statement`, `partiql` and `values`.
//!   `action` is the type of an action.
//! - `sets`, with `update_expression`, reads which attributes an update sets. It reads only where
//!   an index asks for them.
//! - `response` reads a response. `outcome`, `success` and `throttle` work out what it means for
//!   each action; `attribution` and `charge` hold and share what comes of that.
//! - `target`, `placed` and `index_key` find partitions; `schema` holds the key schemas, and
//!   `description` reads them from a table's description.
//! - `attempt` and `waiting` keep attempts whose table's key is unknown.
//! - `ask` rewrites a request, before it is sent, so that its response tells the capacity.
//! - `redacted`, with `partiql::redacted`, writes bodies without their values, for recordings.
//! - `attribute`, `number`, `expression`, `wanted` and `json` read DynamoDB's JSON and its
//!   notations.
//!
//! A part of a batch or a transaction, or a statement, that can't be read becomes an action that is
//! `Subject::Unread`. It keeps its place among the others, takes its share of the capacity that the
//! response tells, and ends as a tally.
//!
//! # Invariants
//!
//! - The work grows in step with the length of what was sent. Nesting is bounded where a reader is
//!   recursive: PartiQL's, an item's size, the redaction of a body. Each list that is multiplied
//!   with another has a bound.
//! - JSON is not built into a tree. The one exception: items that came back unprocessed, where
//!   their text is not that of the request.
//! - Shares of a capacity add up to it, to the half unit.
//! - A key is inferred only from a request that DynamoDB accepted.
//! - A part that can't be read costs nothing but itself. A request that DynamoDB refused is not
//!   read.
//! - Imports: `key`, `sys` and the words (`error`, `operation`, `reason`, `units`). No detector,
//!   ledger, map, partition or policy (`ci/layers.sh`).
//!
//! # Proof
//!
//! `tests/observe` (the contract, case by case), `tests/schemas.rs`, `tests/properties` (against an
//! oracle), `tests/waits` (what waits, against another), the fuzz targets `observe`, `partiql` and
//! `waits`, and the tests beside each reader.
//!
//! # How to add
//!
//! Another operation of DynamoDB:
//! 1. `request`: a variant of `ApiOperation`, its name in `named`, and its arm in `actions`. Then
//!    what the operation is: `tells_capacity`, `has_parts`, `is_statement`, `is_transaction`. Each
//!    says no, or for `tells_capacity` yes, unless it names the operation.
//! 2. Where the arm returns an `Action`, little else here has to know the operation: a response is
//!    read by its members. These go by the operation: `unprocessed` (does a batch write), `success`
//!    (a transaction that is replayed) and `detector/observe.rs` (a table's description).
//! 3. Its tests: `tests/observe/items.rs` and its like, and
//!    `every_operation_may_be_throttled_or_lost` in `tests/observe/outcomes.rs`.
//!    `fuzz/observe.dict` has its name.
//! 4. If it tells its capacity: the recipe's list (`recipes/aws-sdk-dynamodb/src/capacity.rs`), and
//!    Go's types (`bindings/go/awsmiddleware/parameters.go`; `token.go` if it takes a token).
//! 5. The command: its list of the operations on items (`cli/src/input/uncounted.rs`), and its
//!    reader of CloudTrail, if that logs it (`cli/src/input/cloudtrail/request.rs`).
//! 6. The README's "Watching requests", and the changelog.
//!
//! Another member of a response goes into `response`. What is recorded, and when, does not belong
//! in here.

#[cfg(not(loom))]
pub(crate) mod action;
#[cfg(not(loom))]
pub(crate) mod ask;
#[cfg(not(loom))]
pub(crate) mod attempt;
#[cfg(not(loom))]
pub(crate) mod attribute;
#[cfg(not(loom))]
pub(crate) mod attribution;
#[cfg(not(loom))]
pub(crate) mod charge;
#[cfg(not(loom))]
pub(crate) mod description;
#[cfg(not(loom))]
pub(crate) mod error;
#[cfg(not(loom))]
pub(crate) mod expression;
#[cfg(not(loom))]
pub(crate) mod index_key;
#[cfg(not(loom))]
pub(crate) mod index_write;
pub(crate) mod json;
#[cfg(not(loom))]
pub(crate) mod key_condition;
#[cfg(not(loom))]
pub(crate) mod number;
#[cfg(not(loom))]
pub(crate) mod outcome;
#[cfg(not(loom))]
pub(crate) mod partiql;
#[cfg(not(loom))]
pub(crate) mod placed;
#[cfg(not(loom))]
pub(crate) mod query;
#[cfg(not(loom))]
pub(crate) mod redacted;
#[cfg(not(loom))]
pub(crate) mod request;
#[cfg(not(loom))]
pub(crate) mod response;
pub(crate) mod schema;
#[cfg(not(loom))]
pub(crate) mod sets;
#[cfg(not(loom))]
pub(crate) mod statement;
#[cfg(not(loom))]
pub(crate) mod success;
#[cfg(not(loom))]
pub(crate) mod target;
#[cfg(not(loom))]
pub(crate) mod throttle;
#[cfg(not(loom))]
pub(crate) mod unprocessed;
#[cfg(not(loom))]
pub(crate) mod update_expression;
#[cfg(not(loom))]
pub(crate) mod values;
#[cfg(not(loom))]
pub(crate) mod waiting;
#[cfg(not(loom))]
pub(crate) mod wanted;
