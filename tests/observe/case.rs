//! One observed request and all that it is to change.

use hotpart::Operation::{Read, Write};
use hotpart::{Detector, Exchange, ObserveError, Operation, Reason, Unattributed};
use serde_json::Value;

/// A request, its answer, and what comes of them. Amounts of capacity are in units.
#[derive(Clone, Default)]
pub struct Case {
    pub operation: &'static str,
    pub request: String,
    pub status: u16,
    pub response: Option<String>,
    /// (table or index, key, operation, actions, units)
    pub partitions: Vec<(&'static str, &'static str, Operation, u64, f64)>,
    /// Writes that items brought to indexes: (index, key, writes, units)
    pub index_writes: Vec<(&'static str, &'static str, u64, f64)>,
    /// (table or index, key, operation, reason, how many)
    pub throttles: Vec<(&'static str, &'static str, Operation, Reason, u64)>,
    /// (table or index, operation, what, how much)
    pub tallies: Vec<(&'static str, Operation, Unattributed, f64)>,
    pub estimated: f64,
    pub unknown: u64,
    /// Parts that can't be read and do not tell their table.
    pub unread: u64,
}

/// A request that was answered with 200.
pub fn case(operation: &'static str, request: &str) -> Case {
    let request = request.to_owned();
    Case { operation, request, status: 200, response: Some("{}".to_owned()), ..Case::default() }
}

impl Case {
    pub fn answer(mut self, response: &str) -> Self {
        self.response = Some(response.to_owned());
        self
    }

    pub fn status(mut self, status: u16, response: &str) -> Self {
        self.status = status;
        self.answer(response)
    }

    /// An exception of DynamoDB's, with what else its body has.
    pub fn exception(self, name: &str, rest: &str) -> Self {
        let comma = if rest.is_empty() { "" } else { "," };
        self.status(400, &format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{name}"{comma}{rest}}}"#))
    }

    pub fn no_answer(mut self) -> Self {
        (self.status, self.response) = (0, None);
        self
    }

    pub fn writes(mut self, table: &'static str, pk: &'static str, actions: u64, units: f64) -> Self {
        self.partitions.push((table, pk, Write, actions, units));
        self
    }

    /// Writes on an index, none of which is an action of the request's.
    pub fn index_writes(mut self, index: &'static str, pk: &'static str, writes: u64, units: f64) -> Self {
        self.index_writes.push((index, pk, writes, units));
        self
    }

    pub fn reads(mut self, table: &'static str, pk: &'static str, actions: u64, units: f64) -> Self {
        self.partitions.push((table, pk, Read, actions, units));
        self
    }

    pub fn throttle(mut self, table: &'static str, pk: &'static str, of: Operation, why: Reason) -> Self {
        self.throttles.push((table, pk, of, why, 1));
        self
    }

    pub fn tally(mut self, table: &'static str, of: Operation, what: Unattributed, amount: f64) -> Self {
        self.tallies.push((table, of, what, amount));
        self
    }

    /// So many parts can't be read, nor their table.
    pub fn unread(mut self, n: u64) -> Self {
        self.unread = n;
        self
    }

    /// So many of the units were estimated.
    pub fn estimated(mut self, units: f64) -> Self {
        self.estimated = units;
        self
    }

    /// All of them were.
    pub fn all_estimated(self) -> Self {
        let on_tables: f64 = self.partitions.iter().map(|&(.., units)| units).sum();
        let on_indexes: f64 = self.index_writes.iter().map(|&(.., units)| units).sum();
        self.estimated(on_tables + on_indexes)
    }

    /// Checks it, with members in three orders, in operations and in capacity mode.
    pub fn check(&self, detector: impl Fn(bool) -> Detector) {
        for order in [str::to_owned, alphabetical, reversed] {
            let (request, response) = (order(&self.request), self.response.as_deref().map(order));
            for capacity in [false, true] {
                let detector = detector(capacity);
                let actions = observe(&detector, self.operation, &request, self.status, response.as_deref());
                let expected: u64 = self.partitions.iter().map(|&(_, _, _, actions, _)| actions).sum();
                let of = format!(
                    "{} {request}\n-> {} {response:?}, capacity: {capacity}",
                    self.operation, self.status
                );
                assert_eq!(actions, Ok(expected), "actions of {of}");
                self.check_effects(&detector, capacity, &of);
            }
        }
    }

    fn check_effects(&self, detector: &Detector, capacity: bool, of: &str) {
        let halves = |units: f64| (units * 2.0) as u64;
        let mut tracked = std::collections::HashSet::new();
        let on_indexes = self.index_writes.iter().map(|&(index, pk, n, units)| (index, pk, Write, n, units));
        for (table, pk, operation, actions, units) in self.partitions.iter().copied().chain(on_indexes) {
            let count = match operation {
                Write => detector.write_count(table, pk),
                Read => detector.read_count(table, pk),
            };
            let amount = if capacity { halves(units) } else { actions };
            assert_eq!(count, Ok(amount), "{operation} of {table} {pk} in {of}");
            if amount > 0 {
                tracked.insert((table, pk));
            }
        }
        let statistics = detector.statistics();
        assert_eq!(statistics.partitions, tracked.len() as u64, "no other partition in {of}");
        for &(table, pk, operation, reason, n) in &self.throttles {
            let count = detector.throttle_count(table, pk, operation, reason);
            assert_eq!(count, Ok(n), "throttles of {table} {pk} {reason:?} {operation} in {of}");
        }
        let throttled = self.throttles.iter().map(|&(.., n)| n).sum::<u64>();
        assert_eq!(statistics.throttles.iter().sum::<u64>(), throttled, "no other throttle in {of}");
        let (mut tallied, mut unread) = (0, self.unread);
        for &(table, operation, what, amount) in &self.tallies {
            let units = matches!(what, Unattributed::ScanUnits | Unattributed::IndexUnits);
            let amount = if !units {
                amount as u64
            } else if capacity {
                halves(amount)
            } else {
                0
            };
            let count = detector.unattributed_count(table, operation, what);
            assert_eq!(count, Ok(amount), "{what:?} of {table} in {of}");
            *if what == Unattributed::Unread { &mut unread } else { &mut tallied } += amount;
        }
        assert_eq!(statistics.unattributed.iter().sum::<u64>(), tallied, "no other tally in {of}");
        assert_eq!(statistics.unread, unread, "unread in {of}");
        let estimated = if capacity { halves(self.estimated) } else { 0 };
        assert_eq!(statistics.estimated_half_units, estimated, "estimated in {of}");
        assert_eq!(statistics.unknown_operations, self.unknown);
    }
}

pub fn observe(
    detector: &Detector,
    operation: &str,
    request: &str,
    http_status: u16,
    response: Option<&str>,
) -> Result<u64, ObserveError> {
    detector.observe(&Exchange {
        operation: operation.as_bytes(),
        request: request.as_bytes(),
        response: response.map(str::as_bytes),
        model: None,
        http_status,
    })
}

/// A detector that knows table `T`, with key `p`, global indexes `G` (of `g`) and `M` (of `a`,
/// `b`), and the local `L`; and `U`, with key `u`.
pub fn described(capacity: bool) -> Detector {
    let detector = blank(capacity);
    let table = r#"{"Table":{"TableName":"T","KeySchema":[{"AttributeName":"p","KeyType":"HASH"},
        {"AttributeName":"s","KeyType":"RANGE"}],"GlobalSecondaryIndexes":[{"IndexName":"G","KeySchema":[
        {"AttributeName":"g","KeyType":"HASH"}]},{"IndexName":"M","KeySchema":[{"AttributeName":"a","KeyType":"HASH"},
        {"AttributeName":"b","KeyType":"HASH"},{"AttributeName":"r","KeyType":"RANGE"}]}],"LocalSecondaryIndexes":[
        {"IndexName":"L","KeySchema":[{"AttributeName":"p","KeyType":"HASH"},{"AttributeName":"l","KeyType":"RANGE"}]}]}}"#;
    assert_eq!(observe(&detector, "DescribeTable", r#"{"TableName":"T"}"#, 200, Some(table)), Ok(0));
    detector.set_key_schema("U", None, &["u"]).unwrap();
    detector
}

/// A detector that knows no table.
pub fn blank(capacity: bool) -> Detector {
    let most = i64::MAX as u64;
    let builder = Detector::builder(most, most, 60).manual_clock().hash_seed([3, 14]);
    let builder = if capacity { builder.capacity_mode() } else { builder };
    builder.build().unwrap()
}

/// Every object's members by their names.
fn alphabetical(json: &str) -> String {
    serde_json::from_str::<Value>(json).map_or(json.to_owned(), |value| value.to_string())
}

/// Every object's members by their names, the last first, with white space between.
fn reversed(json: &str) -> String {
    fn write(value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| {
                    format!(" {} : {}", Value::from(&**name), write(value))
                };
                format!("{{{}\n}}", members.iter().rev().map(member).collect::<Vec<_>>().join(","))
            }
            Value::Array(all) => format!("[{}\t]", all.iter().map(write).collect::<Vec<_>>().join(" ,")),
            other => other.to_string(),
        }
    }
    serde_json::from_str(json).map_or(json.to_owned(), |value| write(&value))
}
