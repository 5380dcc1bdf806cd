//! Recordings: lines as every language writes them, and what a detector makes of them.
#![cfg(feature = "dynamodb")]

use hotpart::{Detector, Exchange, Recorder};
use serde_json::Value;
use std::io::{self, Write};

/// The vectors that all writers of recordings are tested by.
const VECTORS: &str = include_str!("../bindings/recording/vectors.json");
/// A moment, in milliseconds since 1970.
const NOW: u64 = 1_772_445_841_000;

fn detector(secret: Option<&str>) -> Detector {
    let builder = Detector::builder(1, 1, 60);
    match secret {
        None => builder,
        Some(digits) => {
            let half = |digits: &str| u64::from_str_radix(digits, 16).unwrap().swap_bytes();
            builder.redact_keys([half(&digits[..16]), half(&digits[16..])])
        }
    }
    .build()
    .unwrap()
}

fn exchange(of: &Value) -> Exchange<'_> {
    let bytes = |name: &str| of[name].as_str().map(str::as_bytes);
    Exchange {
        operation: bytes("operation").unwrap(),
        request: bytes("request").unwrap(),
        response: bytes("response"),
        model: bytes("model"),
        http_status: of["http_status"].as_u64().unwrap().try_into().unwrap(),
    }
}

fn line(detector: &Detector, exchange: &Exchange<'_>) -> String {
    let mut recorder = Recorder::new(Vec::new(), detector);
    recorder.record(NOW, exchange).unwrap();
    String::from_utf8(recorder.into_inner()).unwrap()
}

/// A line, without its time.
fn parsed(line: &str) -> Value {
    let rest = line.strip_prefix(&format!("{{\"time_ms\":{NOW},")).expect("the time comes first");
    let rest = rest.strip_suffix('\n').expect("a line ends");
    assert!(!rest.contains(['\n', '\r']), "{rest}");
    serde_json::from_str(&format!("{{{rest}")).unwrap()
}

#[test]
fn lines_are_what_the_vectors_say() {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert!(vectors.len() > 30);
    for vector in &vectors {
        let (exchange, name) = (exchange(&vector["exchange"]), &vector["name"]);
        assert_eq!(parsed(&line(&detector(None), &exchange)), vector["line"], "{name}");
        let redacting = detector(vector["redact_key"].as_str());
        assert_eq!(parsed(&line(&redacting, &exchange)), vector["redacted"], "{name}");
    }
}

/// Counts of some keys, by the names that another detector gives them.
fn counts(detector: &Detector, names: &Detector) -> Vec<u64> {
    let keys = ["events", "other", "third"].map(|table| ["EVENTS", "b", "1", "secret"].map(|pk| (table, pk)));
    let count = |(table, pk): &(&str, &str)| {
        let name = names.redacted(table, pk).unwrap_or((*pk).to_owned());
        [detector.write_count(table, &name).unwrap(), detector.read_count(table, &name).unwrap()]
    };
    keys.as_flattened().iter().flat_map(count).collect()
}

#[test]
fn a_redacted_recording_counts_as_what_it_is_of() {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    let (whole, again, names) = (detector(None), detector(None), detector(vectors[0]["redact_key"].as_str()));
    for detector in [&whole, &again] {
        for table in ["events", "other", "third"] {
            detector.set_key_schema(table, None, &["id"]).unwrap();
        }
    }
    for vector in &vectors {
        let exchange = exchange(&vector["exchange"]);
        let redacted = parsed(&line(&names, &exchange));
        let body = |name: &str| (!redacted[name].is_null()).then(|| redacted[name].to_string());
        let (request, response) = (body("request").unwrap_or_default(), body("response"));
        let same = Exchange {
            request: request.as_bytes(),
            response: response.as_deref().map(str::as_bytes),
            ..exchange
        };
        // What waits for an index's key does so in both; what is odd is refused by both.
        assert_eq!(again.observe(&same).is_ok(), whole.observe(&exchange).is_ok(), "{}", vector["name"]);
    }
    let counted = counts(&whole, &whole);
    assert!(counted.iter().sum::<u64>() > 30, "{counted:?}");
    assert_eq!(counts(&again, &names), counted);
}

#[test]
fn a_body_is_written_as_it_is() {
    let put = Exchange {
        operation: b"DynamoDB_20120810.PutItem",
        request: b"{ \"TableName\" : \"t\" , \"TableName\":1.50 }",
        response: Some(b"{\"a\":\n1}"),
        model: Some(b"Or\"der"),
        http_status: 200,
    };
    let expected = "{\"time_ms\":1772445841000,\"operation\":\"PutItem\",\"request\":{ \"TableName\" : \"t\" , \
        \"TableName\":1.50 },\"response\":{\"a\": 1},\"http_status\":200,\"model\":\"Or\\\"der\"}\n";
    assert_eq!(line(&detector(None), &put), expected);
    // What is no JSON object, or no text at all.
    for (body, written) in [
        (&b"{"[..], r#""{""#),
        (b"\xFF\"", r#""\uFFFD\"""#),
        (b"{\"a\":NaN}", r#""{\"a\":NaN}""#),
        (b"{\"a\":\"\n\"}", r#""{\"a\":\"\n\"}""#),
        (b"null", r#""null""#),
        (b"", "null"),
    ] {
        let odd = Exchange { request: body, response: Some(body), ..put };
        let expected: Value = serde_json::from_str(written).unwrap();
        let whole = parsed(&line(&detector(None), &odd));
        assert_eq!((&whole["request"], &whole["response"]), (&expected, &expected), "{written}");
        let redacted = parsed(&line(&detector(Some(&"1".repeat(32))), &odd));
        assert_eq!((&redacted["request"], &redacted["response"]), (&Value::Null, &Value::Null), "{written}");
    }
}

#[test]
fn a_body_that_is_too_deep_is_left_out() {
    let nested = |n: usize| format!("{{\"a\":{}{{\"S\":\"x\"}}{}}}", "{\"L\":[".repeat(n), "]}".repeat(n));
    let redacting = detector(Some(&"1".repeat(32)));
    for (levels, is_written) in [(32, true), (100_000, false)] {
        let request = nested(levels);
        let exchange = Exchange { operation: b"PutItem", request: request.as_bytes(), ..Exchange::default() };
        let written = parsed(&line(&redacting, &exchange));
        assert_eq!(written["request"].is_object(), is_written);
        assert!(!written.to_string().contains("\"x\""));
    }
}

#[test]
fn no_damage_to_a_body_panics_or_breaks_a_line() {
    let redacting = detector(Some(&"1".repeat(32)));
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    for vector in vectors.iter().filter(|vector| vector.to_string().len() < 4_000) {
        let whole = exchange(&vector["exchange"]);
        for at in 0..whole.request.len() {
            for byte in [b'"', b'{', b'\'', b'\\', 0xFF] {
                let mut damaged = whole.request.to_vec();
                damaged[at] = byte;
                let exchange = Exchange { request: &damaged, ..whole };
                parsed(&line(&redacting, &exchange));
            }
        }
    }
}

/// Takes lines and says how often it was written to; or takes none.
#[derive(Default)]
struct Taking {
    writes: Vec<Vec<u8>>,
    is_full: bool,
}

impl Write for Taking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.writes.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_line_is_one_write_and_its_error_the_writers() {
    let detector = detector(None);
    let mut recorder = Recorder::new(Taking::default(), &detector);
    let exchange = Exchange { operation: b"ListTables", request: b"{}", ..Exchange::default() };
    recorder.record(1, &exchange).unwrap();
    recorder.get_mut().is_full = true;
    assert_eq!(recorder.record(2, &exchange).unwrap_err().kind(), io::ErrorKind::StorageFull);
    recorder.get_mut().is_full = false;
    recorder.record(3, &exchange).unwrap();
    let line = |n| {
        format!(
            "{{\"time_ms\":{n},\"operation\":\"ListTables\",\"request\":{{}},\"response\":null,\"http_status\":0}}\n"
        )
    };
    assert_eq!(recorder.get_ref().writes, [line(1).into_bytes(), line(3).into_bytes()]);
}
