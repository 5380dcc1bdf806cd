//! When a partition is hot, and in which unit it is counted.
//!
//! | module | says |
//! |---|---|
//! | [`thresholds`] | the count from which a partition is hot: the model's, else the table's, else the detector's |
//! | [`overrides`], [`override_list`], [`floor`] | the thresholds of tables and models, and a number that none of them is under |
//! | [`timeline`] | what was in force lately, for as long as a filter's cells hold something of it |
//! | [`rule`] | the spans that have a threshold: the window, one second, five seconds; and the throttle |
//! | [`measure`] | the unit: operations, or capacity in half units |
//!
//! Threads read the overrides without a lock. Beyond that the policy only compares numbers that it
//! is given. Counting is the partition's matter, and telling is the detector's.
//!
//! ```text
//! model's override --+
//! table's override --+-- the first that says one --> threshold of the window --+
//! detector's own   --+                                                         +--> breach? rule
//!                        thresholds of one second and of five seconds ---------+
//! ```
//!
//! An example: the detector's thresholds are 500 writes and 1,500 reads. Table `orders` sets 200
//! writes and nothing for reads; model `batch` sets 5,000 writes. A write to `orders` is hot from
//! 200, one of the model `batch` from 5,000, and a read of `orders` from 1,500.
//!
//! **Invariants.** A model's or table's threshold that says nothing inherits, for writes and reads
//! apart. An override is replaced whole: a reader sees the old one or the new one.
//!
//! **Proof.** `tests/warnings.rs`, `tests/rates.rs`, the thresholds in `tests/properties`, the
//! models (k) in `src/models/ledger.rs`, and those of an override's lifetime
//! (`src/models/lifetimes.rs`).
//!
//! **To add a rate** (a threshold for a span of its own, beside the window's):
//! 1. `partition/series.rs`: its length beside `SUSTAINED`, its count in `Recent` and in
//!    `Series::recent`.
//! 2. [`rule`]: its `Rule`, last in the enum; its thresholds in `RateThresholds`, in `NONE` and in
//!    `floor`, without which the fast path never gets to look; its place in `breach`, the most
//!    urgent first. `Settings` holds all that. `ledger/breach.rs` makes a `Recent` in two places.
//! 3. `argument.rs`: the names and ranges of its thresholds. `detector/builder.rs`: field, default,
//!    setter, `check`, `build`. `detector/bound_warning.rs` cuts the peak of some rules to their
//!    count: not that of a rate, as the peak is the whole window's.
//! 4. `ffi/detector.rs`: fields at the end of `hpd_options`, `DEFAULTS`, `hpd_new_with_options`.
//!    `ffi/warning.rs`: the next free `HPD_RULE_*`, in `rule` and `rule_code`.
//! 5. `tests/abi.rs`: the fields' names, and the struct's size. Then `make bindings`, which writes
//!    the header too, and `make abi`, for which a released version needs another number first.
//! 6. The option in the bindings: `_options.py` and `_detector.py`, `options.ts`, `config.go`. The
//!    rule's name in `go/words.go`, `tests/c/heard.c` and the command's `backtest/json.rs`. The
//!    comments of a warning's `window_seconds` say which rule looks at how many seconds.
//! 7. `tests/rates.rs`, `tests/arguments.rs`, and `tests/scenarios.txt` with the interpreters that
//!    read its options. The oracle of bounded counting, in `tests/bounded`: `terms`, `oracle` and
//!    `watched`. The options and the number of rules in `fuzz/fuzz_targets/world.rs`.

pub(crate) mod floor;
pub(crate) mod measure;
pub(crate) mod override_list;
pub(crate) mod overrides;
pub(crate) mod rule;
pub(crate) mod thresholds;
pub(crate) mod timeline;
