//! Attempts at requests to DynamoDB, as values: what was asked, what the answer says that it took,
//! and both as JSON.

use std::fmt::Write;

/// Tables whose key is `p`. None has an index that is known.
pub const TABLES: [&str; 2] = ["T", "a"];
pub const KEYS: [&str; 3] = ["c", "b:c", ""];
/// An index whose key is not known.
pub const INDEX: &str = "G";

/// Units as an answer may write them, and how many half units they are.
pub const NUMBERS: [(&str, u64); 9] = [
    ("0", 0),
    ("0.0", 0),
    ("0e0", 0),
    ("0.5", 1),
    ("1", 2),
    ("1.0", 2),
    ("2.5", 5),
    ("3e0", 6),
    ("600000000.5", 1_200_000_001),
];

/// The capacity that an answer tells; numbers by their places in
/// [`NUMBERS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told {
    Nothing,
    /// The table's name, and no number.
    Name,
    Total(usize),
    /// Of the table, and of the index.
    Apart(usize, usize),
}

impl Told {
    /// Half units of the table and of the index, if they are told.
    pub fn halves(self) -> Option<(u64, Option<u64>)> {
        let number = |at: usize| NUMBERS[at].1;
        match self {
            Self::Nothing => None,
            Self::Name => Some((0, None)),
            Self::Total(total) => Some((number(total), None)),
            Self::Apart(table, index) => Some((number(table), Some(number(index)))),
        }
    }

    fn json(self, table: &str) -> Option<String> {
        let number = |at: usize| NUMBERS[at].0;
        let units = match self {
            Self::Nothing => return None,
            Self::Name => String::new(),
            Self::Total(total) => format!(r#","CapacityUnits":{}"#, number(total)),
            Self::Apart(table, index) => format!(
                r#","Table":{{"CapacityUnits":{}}},"GlobalSecondaryIndexes":{{"{INDEX}":{{"CapacityUnits":{}}}}}"#,
                number(table),
                number(index)
            ),
        };
        Some(format!(r#"{{"TableName":"{table}"{units}}}"#))
    }
}

/// One attempt: tables and keys by their places in [`TABLES`] and [`KEYS`].
#[derive(Clone, Debug)]
pub struct Attempt {
    pub table: usize,
    pub did: Did,
}

#[derive(Clone, Debug)]
pub enum Did {
    /// Read or wrote one item.
    One { key: usize, operation: usize, told: Told },
    /// Read the table, with `true` by a statement.
    Scan(Told, bool),
    /// Put an item for each key, but those that came back unprocessed.
    Batch(Vec<(usize, bool)>, Told),
    /// Was throttled: on a key or, a scan, on none; for a reason by its place among all; with
    /// `true` by the index.
    Throttled { key: Option<usize>, reason: usize, by_index: bool },
    /// Read by some statements of one batch.
    Statements(Vec<Said>),
    /// An operation that the library does not know.
    Unknown,
}

/// One statement of a batch.
#[derive(Clone, Copy, Debug)]
pub enum Said {
    /// Items of one key, or of another.
    Either(usize, usize),
    /// Texts that can't be read, but for their table.
    Unreadable,
    /// Texts that do not even tell their table.
    Nonsense,
}

impl Said {
    fn json(self, table: &str) -> String {
        let text = match self {
            Self::Either(one, other) => {
                format!("SELECT * FROM {table} WHERE p = '{}' AND s = 1 OR p = '{}'", KEYS[one], KEYS[other])
            }
            Self::Unreadable => format!("SELECT * FROM {table} WHERE p ~ 'c'"),
            Self::Nonsense => "PICK p".to_owned(),
        };
        format!(r#"{{"Statement":"{text}"}}"#)
    }
}

/// An attempt as the library gets it.
pub struct Exchanged {
    pub operation: &'static str,
    pub status: u16,
    pub request: String,
    pub response: String,
}

/// How reasons end, as DynamoDB names them; the first is not named.
const REASONS: [&str; 5] = [
    "",
    "KeyRangeThroughputExceeded",
    "ProvisionedThroughputExceeded",
    "AccountLimitExceeded",
    "MaxOnDemandThroughputExceeded",
];

/// The put of an item that differs from all others of its batch.
fn put(key: usize, nth: usize) -> String {
    format!(r#"{{"PutRequest":{{"Item":{{"p":{{"S":"{}"}},"s":{{"N":"{nth}"}}}}}}}}"#, KEYS[key])
}

impl Attempt {
    pub fn name(&self) -> &'static str {
        TABLES[self.table]
    }

    pub fn exchanged(&self) -> Exchanged {
        let table = self.name();
        let answer = |told: Told| {
            told.json(table).map_or("{}".to_owned(), |units| format!(r#"{{"ConsumedCapacity":{units}}}"#))
        };
        let scan = || ("Scan", format!(r#"{{"TableName":"{table}"}}"#));
        let one = |operation: usize, key: usize| {
            let (name, what) = [("PutItem", "Item"), ("GetItem", "Key")][operation];
            (name, format!(r#"{{"TableName":"{table}","{what}":{{"p":{{"S":"{}"}}}}}}"#, KEYS[key]))
        };
        let ((operation, request), status, response) = match &self.did {
            Did::One { key, operation, told } => (one(*operation, *key), 200, answer(*told)),
            Did::Scan(told, false) => (scan(), 200, answer(*told)),
            Did::Scan(told, true) => {
                let statement = format!(r#"{{"Statement":"SELECT * FROM \"{table}\""}}"#);
                (("ExecuteStatement", statement), 200, answer(*told))
            }
            Did::Batch(puts, told) => {
                let list = |of: &dyn Fn(bool) -> bool| {
                    let these = puts.iter().enumerate().filter(|(_, (_, back))| of(*back));
                    these.map(|(nth, (key, _))| put(*key, nth)).collect::<Vec<_>>().join(",")
                };
                let request = format!(r#"{{"RequestItems":{{"{table}":[{}]}}}}"#, list(&|_| true));
                let mut response = r#"{"UnprocessedItems":{"#.to_owned();
                if puts.iter().any(|(_, back)| *back) {
                    write!(response, r#""{table}":[{}]"#, list(&|back| back)).unwrap();
                }
                response += "}";
                if let Some(units) = told.json(table) {
                    write!(response, r#","ConsumedCapacity":[{units}]"#).unwrap();
                }
                (("BatchWriteItem", request), 200, response + "}")
            }
            Did::Throttled { key, reason, by_index } => {
                let asked = key.map_or_else(scan, |key| one(0, key));
                let of = if key.is_some() { "Write" } else { "Read" };
                let (kind, place) = if *by_index {
                    ("Index", format!("{table}/index/{INDEX}"))
                } else {
                    ("Table", table.to_owned())
                };
                let named = format!(
                    r#","ThrottlingReasons":[{{"reason":"{kind}{of}{}","resource":"arn:aws:dynamodb:eu-west-1:123456789012:table/{place}"}}]"#,
                    REASONS[*reason]
                );
                let named = if *reason == 0 { "" } else { &named };
                let exception =
                    r#""__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException""#;
                (asked, 400, format!("{{{exception}{named}}}"))
            }
            Did::Statements(all) => {
                let all: Vec<_> = all.iter().map(|said| said.json(table)).collect();
                let request = format!(r#"{{"Statements":[{}]}}"#, all.join(","));
                (("BatchExecuteStatement", request), 200, "{}".to_owned())
            }
            Did::Unknown => (("ListTables", "{}".to_owned()), 200, "{}".to_owned()),
        };
        Exchanged { operation, status, request, response }
    }
}
