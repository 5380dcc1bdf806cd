//! A detector and its oracle, which are told the same. The fuzz target `waits` has them from here.

use crate::input::Input;
use crate::oracle::{As, Ended, KEYS, Oracle, Part, TABLES, WINDOW, name};
use hotpart::{Detector, Exchange, ObserveError, Operation, Reason, Unattributed};
use serde_json::{Value, json};

struct Watched {
    detector: Detector,
    oracle: Oracle,
    /// By which every item differs from all others.
    items: u64,
}

/// The name that a call gives a table: its own, or its ARN, which means the same.
fn called(input: &mut Input<'_>, table: usize) -> String {
    let name = name(table);
    if input.below(4) == 0 { format!("arn:aws:dynamodb:eu-west-1:123456789012:table/{name}") } else { name }
}

/// Makes the calls that the bytes say.
///
/// # Panics
/// If the detector shows something else than its oracle.
pub fn follow(bytes: &[u8]) {
    let (mut input, never) = (Input::new(bytes), i64::MAX as u64);
    let detector = Detector::builder(never, never, WINDOW).manual_clock().hash_seed([3, 14]).build().unwrap();
    let mut watched = Watched { detector, oracle: Oracle::default(), items: 0 };
    while !input.is_over() {
        watched.call(&mut input);
        watched.check();
    }
}

impl Watched {
    fn call(&mut self, input: &mut Input<'_>) {
        let (call, table) = (input.below(16), input.below(TABLES));
        match call {
            0..6 => {
                let ended = input.one(&[Ended::Done, Ended::Lost]);
                let part = |_| Part {
                    table: input.below(TABLES),
                    key: input.below(KEYS.len()),
                    back: input.below(4) == 0,
                };
                let parts: Vec<_> = (0..1 + table).map(part).collect();
                self.batch(&parts, ended);
            }
            6 | 7 => {
                let ended = input.one(&[Ended::Done, Ended::Lost, Ended::Throttled, Ended::Refused]);
                let part = Part { table, key: input.below(KEYS.len()), back: false };
                let request = json!({"TableName": called(input, table), "Item": self.item(part.key)});
                self.observe("PutItem", &request, &[part], ended);
            }
            8 => {
                let part = Part { table, key: input.below(KEYS.len()), back: false };
                let key = json!({"id": {"S": KEYS[part.key]}});
                let request = json!({"TableName": called(input, table), "Key": key});
                let (status, response) = input.one(&[(0, Value::Null), (200, json!({}))]);
                let expected = self.oracle.observe_key(part, status == 200);
                assert_eq!(self.tell("DeleteItem", &request, status, &response), expected);
            }
            9 => {
                let called = called(input, table);
                let described = json!({"Table": {"TableName": name(table),
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}});
                self.oracle.know(table);
                let told = self.tell("DescribeTable", &json!({"TableName": called}), 200, &described);
                assert_eq!(told, Ok(0));
            }
            10 => {
                self.oracle.know(table);
                self.detector.set_key_schema(called(input, table), None, &["id"]).unwrap();
            }
            11 => {
                self.oracle.forget(table);
                self.detector.forget_table(called(input, table)).unwrap();
            }
            12 if input.below(4) == 0 => {
                self.oracle.clear();
                self.detector.clear().unwrap();
            }
            // Until there is no room for more.
            13 if input.below(8) == 0 => {
                let parts = [Part { table, key: 0, back: false }; 25];
                (0..input.below(256)).for_each(|_| self.batch(&parts, Ended::Lost));
            }
            _ => {
                let ms = input.one(&[0, 1, 400, 999, 1_000, 1_000, 2_500, 6_000, 60_000]);
                self.detector.set_time_ms(self.oracle.pass(ms)).unwrap();
            }
        }
    }

    fn item(&mut self, key: usize) -> Value {
        self.items += 1;
        json!({"id": {"S": KEYS[key]}, "n": {"N": self.items.to_string()}})
    }

    fn batch(&mut self, parts: &[Part], ended: Ended) {
        let mut request = json!({"RequestItems": {}});
        let mut response = json!({"UnprocessedItems": {}});
        let add = |to: &mut Value, table: usize, put: Value| match &mut to[name(table)] {
            Value::Array(puts) => puts.push(put),
            none => *none = json!([put]),
        };
        for part in parts {
            let put = json!({"PutRequest": {"Item": self.item(part.key)}});
            if part.back {
                add(&mut response["UnprocessedItems"], part.table, put.clone());
            }
            add(&mut request["RequestItems"], part.table, put);
        }
        if ended == Ended::Done {
            let expected = self.oracle.observe(parts, ended);
            assert_eq!(self.tell("BatchWriteItem", &request, 200, &response), expected);
        } else {
            self.observe("BatchWriteItem", &request, parts, ended);
        }
    }

    fn observe(&mut self, operation: &str, request: &Value, parts: &[Part], ended: Ended) {
        let expected = self.oracle.observe(parts, ended);
        let exception = |name: &str| json!({"__type": format!("x#{name}")});
        let (status, response) = match ended {
            Ended::Done => (200, json!({})),
            Ended::Lost => (0, Value::Null),
            Ended::Throttled => (400, exception("ProvisionedThroughputExceededException")),
            Ended::Refused => (400, exception("ValidationException")),
        };
        assert_eq!(self.tell(operation, request, status, &response), expected);
    }

    /// Tells the detector. Returns the actions, or the tables that are asked for.
    fn tell(
        &self,
        operation: &str,
        request: &Value,
        status: u16,
        response: &Value,
    ) -> Result<u64, Vec<String>> {
        let (request, response) = (request.to_string(), response.to_string());
        let observed = self.detector.observe(&Exchange {
            operation: operation.as_bytes(),
            request: request.as_bytes(),
            response: (status > 0).then_some(response.as_bytes()),
            http_status: status,
            ..Exchange::default()
        });
        observed.map_err(|error| match error {
            ObserveError::MissingSchema(tables) => tables,
            other => panic!("{other:?}"),
        })
    }

    /// All that is counted, and what has become of all that was sent.
    fn check(&self) {
        let Self { detector, oracle, .. } = self;
        let write = Operation::Write;
        for table in 0..TABLES {
            let name = name(table);
            for what in As::ALL {
                let counted = match what {
                    As::Write(key) => detector.write_count(&name, KEYS[key]),
                    As::Throttle(key) => detector.throttle_count(&name, KEYS[key], write, Reason::Unknown),
                    As::Unprocessed => detector.unattributed_count(&name, write, Unattributed::Unprocessed),
                    As::Unread => detector.unattributed_count(&name, write, Unattributed::Unread),
                };
                assert_eq!(counted, Ok(oracle.count(table, what)), "{name}: {what:?}");
            }
        }
        let sums = oracle.sums;
        assert_eq!(detector.statistics().unread, sums.unread);
        assert_eq!(
            sums.sent,
            sums.recorded + sums.unread + sums.cleared + oracle.waiting() as u64,
            "{sums:?}"
        );
    }
}
