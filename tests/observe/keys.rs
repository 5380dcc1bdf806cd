//! Keys and how their names are learnt.

use crate::case::{blank, case, described, observe};
use hotpart::ObserveError::{Json, MissingSchema, Refused};
use hotpart::{Argument, Error, Exchange};

fn delete(value: &str) -> String {
    format!(r#"{{"TableName":"U","Key":{{"u":{value}}}}}"#)
}

#[test]
fn a_key_is_its_text_its_canonical_number_or_its_bytes() {
    for one in ["1", "1.0", "1e0", "+1", "0.1e1"] {
        case("DeleteItem", &delete(&format!(r#"{{"N":"{one}"}}"#)))
            .writes("U", "1", 1, 1.0)
            .all_estimated()
            .check(described);
    }
    case("DeleteItem", &delete(r#"{"N":"-0.0"}"#)).writes("U", "0", 1, 1.0).all_estimated().check(described);
    case("DeleteItem", &delete(r#"{"S":"a\u00e9\n"}"#))
        .writes("U", "aé\n", 1, 1.0)
        .all_estimated()
        .check(described);
    case("DeleteItem", &delete(r#"{"B":"aGk="}"#)).writes("U", "hi", 1, 1.0).all_estimated().check(described);
    for bad in
        [r#"{"N":"1e126"}"#, r#"{"N":"x"}"#, r#"{"N":1}"#, r#"{"B":"*"}"#, r#"{"BOOL":true}"#, r#""x""#, "{}"]
    {
        assert_eq!(observe(&described(false), "DeleteItem", &delete(bad), 200, None), Err(Json), "{bad}");
    }
}

/// `JSON.stringify` and `json.dumps` send `"\ud800"` for half of a character. The request was an
/// error once.
#[test]
fn a_lone_surrogate_is_a_key_of_its_own() {
    let surrogates: [(&str, &[u8]); 4] = [
        (r"\ud800", b"\xED\xA0\x80"),
        (r"\uDC00", b"\xED\xB0\x80"),
        (r"a\ud83d", b"a\xED\xA0\xBD"),
        (r"\ude00\ud83d", b"\xED\xB8\x80\xED\xA0\xBD"),
    ];
    for capacity in [false, true] {
        let detector = described(capacity);
        let one = if capacity { 2 } else { 1 };
        for (n, (text, key)) in surrogates.into_iter().enumerate() {
            let value = format!(r#"{{"S":"{text}"}}"#);
            assert_eq!(observe(&detector, "DeleteItem", &delete(&value), 200, None), Ok(1), "{text}");
            let put = format!(
                r#"{{"TableName":"U","Item":{{"{text}":{{"M":{{"{text}":{{"S":"{text}"}}}}}},"u":{value}}}}}"#
            );
            assert_eq!(observe(&detector, "PutItem", &put, 200, None), Ok(1), "{text}");
            let update =
                format!(r#"{{"Statement":"UPDATE U SET x='{text}' WHERE u=?","Parameters":[{value}]}}"#);
            assert_eq!(observe(&detector, "ExecuteStatement", &update, 200, None), Ok(1), "{text}");
            assert_eq!(detector.write_count("U", key), Ok(3 * one), "{text}");
            assert_eq!(detector.statistics().partitions, n as u64 + 1, "none is another");
        }
        // Of several attributes of an index it is in the array of their texts.
        let put =
            r#"{"TableName":"T","Item":{"p":{"S":"k"},"a":{"S":"\ud800"},"b":{"S":"\""},"r":{"S":"z"}}}"#;
        assert_eq!(observe(&detector, "PutItem", put, 200, None), Ok(1));
        assert_eq!(detector.write_count("T/index/M", b"[\"\xED\xA0\x80\",\"\\\"\"]"), Ok(one));
    }
}

#[test]
fn a_key_that_is_too_long_is_refused() {
    let detector = described(false);
    let long = |n| delete(&format!(r#"{{"S":"{}"}}"#, "x".repeat(n)));
    assert_eq!(
        observe(&detector, "DeleteItem", &long(16_385), 200, None),
        Err(Refused(Error::Invalid(Argument::Pk)))
    );
    assert_eq!(detector.statistics().partitions, 0);
    assert_eq!(observe(&detector, "DeleteItem", &long(16_384), 200, None), Ok(1));
}

#[test]
fn a_key_of_one_attribute_teaches_the_schema() {
    let detector = blank(false);
    let put = r#"{"TableName":"U","Item":{"x":{"S":"1"},"u":{"S":"k"}}}"#;
    let missing = Err(MissingSchema(vec!["U".to_owned()]));
    let alone = r#"{"TableName":"U","Item":{"u":{"S":"k"}}}"#;
    assert_eq!(
        observe(&detector, "PutItem", alone, 200, None),
        missing,
        "an item does not say what its key is"
    );
    assert_eq!(observe(&detector, "PutItem", put, 200, None), Ok(1), "it waits, and its table was asked for");
    // One that was refused may have been wrong.
    let refused = r#"{"__type":"ValidationException"}"#;
    observe(&detector, "DeleteItem", &delete(r#"{"S":"k"}"#).replace("\"u\"", "\"x\""), 400, Some(refused))
        .unwrap();
    assert_eq!(observe(&detector, "PutItem", put, 200, None), Ok(1));
    assert_eq!(detector.write_count("U", "k"), Ok(0), "it has taught nothing");
    assert_eq!(observe(&detector, "DeleteItem", &delete(r#"{"S":"k"}"#), 200, None), Ok(1));
    assert_eq!(observe(&detector, "PutItem", put, 200, None), Ok(1));
    assert_eq!(detector.write_count("U", "k"), Ok(5));
    detector.clear().unwrap();
    assert_eq!(observe(&detector, "PutItem", put, 200, None), Ok(1), "a clear does not forget it");
    assert_eq!(detector.write_count("U", "k"), Ok(1));
    // A key of two attributes needs it.
    let two = r#"{"TableName":"W","Key":{"a":{"S":"1"},"b":{"S":"2"}}}"#;
    assert_eq!(observe(&detector, "GetItem", two, 200, None), Err(MissingSchema(vec!["W".to_owned()])));
}

#[test]
fn tables_are_described_by_the_answers_that_describe_them() {
    let description = r#"{"TableName":"W","KeySchema":[{"AttributeName":"b","KeyType":"HASH"}]}"#;
    let put = r#"{"TableName":"W","Item":{"a":{"S":"1"},"b":{"S":"2"}}}"#;
    for (operation, member) in
        [("CreateTable", "TableDescription"), ("DescribeTable", "Table"), ("UpdateTable", "TableDescription")]
    {
        let detector = blank(false);
        let answer = format!(r#"{{"{member}":{description}}}"#);
        assert_eq!(
            observe(&detector, operation, r#"{"TableName":"W"}"#, 400, Some(r#"{"__type":"X"}"#)),
            Ok(0)
        );
        assert!(observe(&detector, "PutItem", put, 200, None).is_err());
        assert_eq!(observe(&detector, operation, r#"{"TableName":"W"}"#, 200, Some(&answer)), Ok(0));
        assert_eq!(detector.write_count("W", "2"), Ok(1), "it waited for that");
        assert_eq!(observe(&detector, "PutItem", put, 200, None), Ok(1));
        assert_eq!(detector.write_count("W", "2"), Ok(2));
    }
}

#[test]
fn a_schema_that_is_no_longer_so_is_asked_for_again() {
    let detector = described(false);
    let two = r#"{"TableName":"U","Key":{"new":{"S":"1"},"s":{"S":"2"}}}"#;
    assert_eq!(observe(&detector, "GetItem", two, 200, None), Err(MissingSchema(vec!["U".to_owned()])));
    detector.set_key_schema("U", None, &["new"]).unwrap();
    assert_eq!(observe(&detector, "GetItem", two, 200, None), Ok(1));
    assert_eq!(detector.read_count("U", "1"), Ok(2));
}

#[test]
fn a_schema_is_declared_for_a_table_or_an_index() {
    let detector = blank(false);
    let refused = |argument| Err(Error::Invalid(argument));
    assert_eq!(detector.set_key_schema("", None, &["a"]), refused(Argument::KeyTable));
    assert_eq!(detector.set_key_schema("T", Some(b""), &["a"]), refused(Argument::KeyIndex));
    let five: &[&str] = &["a", "b", "c", "d", "e"];
    for (index, attributes) in [(None, &five[..2]), (Some(&b"I"[..]), five), (Some(b"I"), &[])] {
        assert_eq!(detector.set_key_schema("T", index, attributes), refused(Argument::KeyAttributes));
    }
    assert_eq!(detector.set_key_schema("T", None, &[b"\xFF"]), refused(Argument::KeyAttribute));
    assert_eq!(detector.set_key_schema("T", Some(b"I"), &["a", "b", "c", "d"]), Ok(()));
}

#[test]
fn a_declared_index_with_the_table_s_key_is_local_unless_the_answer_says_else() {
    let query = r#"{"TableName":"T","IndexName":"I","KeyConditionExpression":"p = :v","ExpressionAttributeValues":{":v":{"S":"k"}}}"#;
    let detector = blank(false);
    detector.set_key_schema("T", Some(b"I"), &["p"]).unwrap();
    detector.set_key_schema("T", None, &["p"]).unwrap();
    observe(&detector, "Query", query, 200, None).unwrap();
    assert_eq!((detector.read_count("T", "k"), detector.read_count("T/index/I", "k")), (Ok(1), Ok(0)));
    let global = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":1,"GlobalSecondaryIndexes":{"I":{"CapacityUnits":1}}}}"#;
    observe(&detector, "Query", query, 200, Some(global)).unwrap();
    assert_eq!((detector.read_count("T", "k"), detector.read_count("T/index/I", "k")), (Ok(1), Ok(1)));
    // A description is believed more than an answer: moto calls a global index local in those.
    let wrong = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":1,"LocalSecondaryIndexes":{"G":{"CapacityUnits":1}}}}"#;
    let detector = described(false);
    let query = query.replace("\"I\"", "\"G\"").replace("p = :v", "g = :v");
    observe(&detector, "Query", &query, 200, Some(wrong)).unwrap();
    assert_eq!(detector.read_count("T/index/G", "k"), Ok(1));
}

#[test]
fn a_model_s_records_are_its_own() {
    let detector = described(false);
    let of = |model: &'static [u8]| Exchange {
        operation: b"DeleteItem",
        request: br#"{"TableName":"U","Key":{"u":{"S":"k"}}}"#,
        model: Some(model),
        http_status: 200,
        ..Exchange::default()
    };
    assert_eq!(detector.observe(&of(b"M")), Ok(1));
    assert_eq!(detector.observe(&of(b"")), Err(Refused(Error::Invalid(Argument::Model))));
}
