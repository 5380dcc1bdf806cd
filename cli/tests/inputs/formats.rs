//! Formats: each one's fixture, read as a user's file is, counted by the library, and accounted
//! for.

use crate::read::{Read, fixture, options, read, read_bytes, temporary, try_read, try_read_bytes};
use hotpart_cli::batch::Batch;
use hotpart_cli::input::Inputs;
use hotpart_cli::input::format::Options;
use hotpart_cli::input::source::Progress;

#[test]
fn csv_with_names_of_its_own() {
    let columns = [("time_ms", "ts"), ("operation", "op"), ("pk", "key"), ("model", "kind"), ("amount", "n")];
    let Read { counts, line, .. } = read(&["access.csv"], &options(&[], &columns));
    assert_eq!(counts, ["write my \"table\" a,b 2", "read events EVENTS 1"]);
    assert_eq!(line, "3 records: 2 counted; 1 bad");
}

#[test]
fn csv_has_marks_of_byte_order_ends_of_lines_and_numbers_of_columns() {
    let plain = "time_ms,operation,table,pk\r\n1000,write,events,\"a\r\nb\"\r\n\r\n2000,READ,events,c\r\n";
    let expected = ["write events a\r\nb 1", "read events c 1"];
    assert_eq!(read_bytes(plain.as_bytes(), &options(&[], &[])).counts, expected);
    let marked = format!("\u{feff}{plain}");
    assert_eq!(read_bytes(marked.as_bytes(), &options(&[], &[])).counts, expected);
    // Without names, and with names that are of no use.
    let bare = "events,a,write,1\nevents,c,read,2000\n";
    let columns = [("time_ms", "4"), ("operation", "3"), ("table", "1"), ("pk", "2")];
    let expected = ["write events a 1", "read events c 1"];
    assert_eq!(read_bytes(bare.as_bytes(), &options(&[], &columns)).counts, expected);
    let named = format!("a,b,c,d\n{bare}");
    assert_eq!(read_bytes(named.as_bytes(), &options(&[], &columns)).counts, expected);
    // A bad first line is no line of names.
    let bad = read_bytes(b"events,a,write,x\n", &options(&[], &columns));
    assert_eq!(bad.line, "1 record: 0 counted; 1 bad");
    assert_eq!(read_bytes(b"", &options(&[], &columns)).line, "0 records: 0 counted");
}

#[test]
fn a_bad_line_is_named_and_stops_unless_the_user_goes_on() {
    let text = "1000,write,events,a\n1000,write,events,a,-1\nx,write,events,a\n1000,scan,events,a\n1000,write\n1772445841000000,write,events,a\n2000,write,events,a\n";
    let reasons = [
        "2: amount must be a multiple of 0.5, from 0.5 up: \"-1\"",
        "3: time_ms is not a number of milliseconds: \"x\"",
        "4: operation is neither write nor read, nor an operation of DynamoDB such as DeleteItem: \"scan\"",
        "5: the line has only 2 fields; table, in column 3, is missing",
        "6: the time 1772445841000000, if it is in milliseconds, is past 2106-02-07T05:28:15Z, the last that is counted",
    ];
    let all = read_bytes(text.as_bytes(), &options(&[], &[]));
    assert_eq!(all.line, "7 records: 2 counted; 5 bad");
    for (bad, reason) in all.bad.iter().zip(reasons) {
        assert!(bad.ends_with(reason), "{bad}");
    }
    let mut strict = options(&[], &[]);
    strict.keep_going = false;
    let error = try_read_bytes(text.as_bytes(), &strict).unwrap_err();
    assert!(error.contains(reasons[0]) && error.contains("--keep-going"), "{error}");
}

/// The counts of CloudTrail's fixture, of which `7` and `7.0` are one key.
const TRAIL: [&str; 9] = [
    "write Orders c1 2",
    "write Orders c3 2",
    "write Orders c4 2",
    "write Orders c5 2",
    "write Orders c6 1",
    "write devices 7 1",
    "read Orders c1 5",
    "read Orders c4 1",
    "read devices 7 1",
];

#[test]
fn cloudtrail_events_of_every_operation() {
    let Read { counts, throttles, line, missing, .. } =
        read(&["cloudtrail.json"], &options(&[("Orders", "customer")], &[]));
    assert_eq!(counts, TRAIL);
    assert_eq!(throttles, ["Orders c1 1", "Orders c2 1", "Orders c5 1"]);
    assert!(missing.is_empty());
    assert_eq!(
        line,
        "21 records: 14 counted; 2 of operations on no item; 1 of other services; 1 refused by DynamoDB; \
         2 whose keys the log does not show; 1 without its request"
    );
}

#[test]
fn cloudtrail_keys_of_two_attributes_are_asked_about() {
    let Read { missing, .. } = read(&["cloudtrail.json"], &options(&[], &[]));
    assert_eq!(missing, ["Orders"]);
}

#[test]
fn cloudtrail_events_one_after_another() {
    let Read { counts, throttles, line, .. } =
        read(&["cloudtrail-lines.jsonl"], &options(&[("Orders", "customer")], &[]));
    assert_eq!(counts, ["write Orders c1 1", "read Orders c1 2"]);
    assert_eq!(throttles, ["Orders c2 1"]);
    assert_eq!(line, "4 records: 4 counted");
}

/// Whatever has the name of what deletes them.
#[test]
fn a_write_that_is_no_removal_is_none_by_time_to_live() {
    let record = |name: &str| {
        let event = format!(
            r#"{{"tableName":"events",{name}"userIdentity":{{"type":"Service","principalId":"dynamodb.amazonaws.com"}},"#
        );
        event + r#""dynamodb":{"ApproximateCreationDateTime":1772445841,"Keys":{"id":{"S":"a"}}}}"# + "\n"
    };
    let names = ["INSERT", "MODIFY", "REMOVE"].map(|name| format!(r#""eventName":"{name}","#));
    let text: String = names.iter().map(|name| record(name)).chain([record("")]).collect();
    let read = read_bytes(text.as_bytes(), &options(&[("events", "id")], &[]));
    assert_eq!(read.line, "4 records: 2 counted; 2 deleted by their time to live, which costs nothing");
}

#[test]
fn streams_as_lambda_gets_them() {
    let options = options(&[("Orders", "customer"), ("Orders/index/by_status", "status")], &[]);
    let Read { counts, units, line, .. } = read(&["stream-lambda.json"], &options);
    assert_eq!(
        counts,
        [
            "write Orders c1 2",
            "write Orders c2 1",
            "write Orders/index/by_status open 1",
            "write Orders/index/by_status paid 2",
        ]
    );
    // In half units, by the size: 26 and 2,049 bytes, and 1,024.
    assert_eq!(units[..2], ["write Orders c1 8", "write Orders c2 2"]);
    assert_eq!(line, "4 records: 3 counted; 1 deleted by its time to live, which costs nothing");
}

#[test]
fn streams_whose_records_name_no_table() {
    let Read { counts, line, .. } = read(&["stream-getrecords.json"], &options(&[("devices", "id")], &[]));
    assert_eq!(counts, ["write devices \\x00\\xff 1", "write devices 7 2"]);
    assert_eq!(line, "4 records: 3 counted; 1 deleted by its time to live, which costs nothing");
    let unnamed = read(&["stream-getrecords.json"], &options(&[], &[]));
    assert!(unnamed.bad[0].contains("--key"), "{:?}", unnamed.bad);
}

#[test]
fn kinesis_glued_in_three_units_of_time() {
    for file in ["kinesis.json", "kinesis-lambda.json"] {
        let Read { counts, times, units, line, .. } = read(&[file], &options(&[("Orders", "customer")], &[]));
        assert_eq!(counts, ["write Orders c1 2", "write Orders c2 1"], "{file}");
        assert_eq!(units, ["write Orders c1 8", "write Orders c2 6"]);
        assert_eq!(times, [1_772_445_841_067, 1_772_445_841_067, 1_772_445_842_000]);
        assert_eq!(line, "3 records: 3 counted");
    }
}

#[test]
fn a_record_may_be_longer_than_what_its_format_is_told_by() {
    let long = "x".repeat(100_000);
    let record = format!(
        r#"{{"time_ms":1000,"operation":"PutItem","request":{{"TableName":"events","Item":{{"id":{{"S":"a"}},"b":{{"S":"{long}"}}}}}},"http_status":200}}"#
    );
    let Read { counts, units, line, .. } =
        read_bytes(record.as_bytes(), &options(&[("events", "id")], &[("time_ms", "1")]));
    assert_eq!(
        (&*counts, &*units),
        (&["write events a 1".to_owned()][..], &["write events a 196".to_owned()][..])
    );
    assert_eq!(line, "1 record: 1 counted");
}

#[test]
fn recordings_have_bodies_as_json_or_as_texts() {
    let Read { counts, units, throttles, models, line, .. } = read(&["recording.jsonl"], &options(&[], &[]));
    assert_eq!(counts, ["write events EVENTS 2", "read events EVENTS 1"]);
    assert_eq!(units, ["write events EVENTS 8", "read events EVENTS 1"]);
    assert_eq!(throttles, ["events EVENTS 1"]);
    assert_eq!(models, ["Order"]);
    assert_eq!(line, "5 records: 5 counted");
}

/// The lines that every binding writes: without redaction and with it the same is counted, by other
/// names.
#[test]
fn recordings_of_every_binding_are_read() {
    let vectors = include_str!("../../../bindings/recording/vectors.json");
    let vectors: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
    let keys =
        options(&[("events", "id"), ("other", "id"), ("third", "id"), ("events/index/by_user", "user")], &[]);
    let read = |of: &str| {
        let mut lines = String::new();
        for vector in &vectors {
            let mut line = vector[of].clone();
            line["time_ms"] = 1_772_445_841_000_u64.into();
            lines += &format!("{line}\n");
        }
        read_bytes(lines.as_bytes(), &keys)
    };
    let (whole, redacted) = (read("line"), read("redacted"));
    assert_eq!(whole.line, format!("{0} records: {0} counted", vectors.len()));
    assert_eq!(redacted.line, whole.line);
    let numbers = |read: &Read| {
        let number = |count: &String| {
            let words: Vec<_> = count.split(' ').collect();
            format!("{} {} {}", words[0], words[1], words[words.len() - 1])
        };
        let mut numbers: Vec<_> = read.counts.iter().map(number).collect();
        numbers.sort();
        numbers
    };
    assert_eq!(numbers(&redacted), numbers(&whole));
    assert!(numbers(&whole).len() > 5, "{:?}", whole.counts);
}

/// It is no reason to read no further.
#[test]
fn a_request_that_a_recording_left_out_is_no_bad_line() {
    let line = r#"{"time_ms":1,"operation":"GetItem","request":null,"response":null,"http_status":0}"#;
    let (file, strict) = (temporary(line.as_bytes()), Options { keep_going: false, ..options(&[], &[]) });
    let mut inputs = Inputs::new(std::slice::from_ref(&file), strict, Progress::default()).unwrap();
    assert!(inputs.next(Batch::default()).unwrap().is_none());
    std::fs::remove_file(file).unwrap();
    assert_eq!(inputs.account.line(), "1 record: 0 counted; 1 without its request");
}

#[test]
fn botocore_logs_of_several_formats_and_versions() {
    for file in ["botocore-aws-cli.log", "botocore-boto3.log"] {
        let Read { counts, throttles, line, .. } = read(&[file], &options(&[("events", "id")], &[]));
        assert_eq!(counts, ["write events a'b\"c\\é\n 1", "write events hot 2", "read events a 1"], "{file}");
        // Its body is there twice.
        assert_eq!(throttles, ["events hot 1"], "{file}");
        assert_eq!(line, "5 records: 5 counted");
    }
}

#[test]
fn botocore_logs_of_several_threads() {
    let Read { counts, throttles, line, .. } =
        read(&["botocore-threads.log"], &options(&[("events", "id")], &[]));
    assert_eq!(counts[1..], ["write events hot0 3", "write events hot1 3", "read events a 1"]);
    assert_eq!(throttles, ["events hot0 3", "events hot1 2"]);
    assert_eq!(line, "13 records: 13 counted");
}

#[test]
fn botocore_attempts_that_did_not_leave() {
    let Read { counts, line, .. } = read(&["botocore-refused.log"], &options(&[], &[]));
    assert!(counts.is_empty());
    assert_eq!(line, "2 records: 0 counted; 2 that could not be sent");
}

#[test]
fn javascript_loggers_of_either_client() {
    let Read { counts, throttles, units, line, .. } =
        read(&["sdk-js.jsonl"], &options(&[("events", "id")], &[]));
    assert_eq!(counts, ["write events a 2", "read events \\x00\\xff 1", "read events a 2"]);
    assert_eq!(units[1], "read events \\x00\\xff 1");
    assert_eq!(throttles, ["events hot 1"]);
    assert_eq!(line, "8 records: 6 counted; 1 of other services; 1 of something else");
}

#[test]
fn what_can_not_be_an_input_says_where_it_belongs() {
    let cases = [
        ("insights.json", "no single accesses"),
        ("table.json", "--schema"),
        ("sdk-js-console.log", "JSON.stringify"),
    ];
    for (file, hint) in cases {
        let error = try_read(&[fixture(file)], &options(&[], &[])).unwrap_err();
        assert!(error.contains(hint) && error.contains(file), "{error}");
    }
}

#[test]
fn insights_are_read() {
    let reports = hotpart_cli::input::insights::read(&fixture("insights.json")).unwrap();
    let [report] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!((report.aggregate_value, report.approximate_unique_count), (1_500.0, 40));
    let first = &report.contributors[0];
    assert_eq!((&*first.keys, first.approximate_aggregate_value), (&["EVENTS".to_owned()][..], 900.0));
    let times: Vec<_> = first.datapoints.iter().map(|point| point.time_ms).collect();
    assert_eq!(times, [1_772_445_840_000, 1_772_445_900_000]);
    assert!(hotpart_cli::input::insights::read(&fixture("table.json")).is_err());
}

/// As one line they would be one record, or none.
#[test]
fn lines_that_end_in_cr_alone_are_refused() {
    let bare = "1000,write,t,a\r2000,write,t,b\r";
    for text in [bare.into(), format!("time_ms,operation,table,pk\r{bare}"), "1000,write,t,a\r".into()] {
        let error = try_read_bytes(text.as_bytes(), &options(&[], &[])).unwrap_err();
        assert!(error.contains("its lines end in CR alone"), "{error}");
    }
    let log = std::fs::read_to_string(fixture("botocore-boto3.log")).unwrap().replace('\n', "\r");
    let error = try_read_bytes(log.as_bytes(), &options(&[], &[])).unwrap_err();
    assert!(error.contains("its lines end in CR alone"), "{error}");
    let quoted = read_bytes(b"1000,write,t,\"a\rb\"", &options(&[], &[]));
    assert_eq!((quoted.line.as_str(), quoted.counts), ("1 record: 1 counted", vec!["write t a\rb 1".into()]));
}

#[test]
fn a_file_of_empty_lines_is_bad() {
    for text in ["\n", "\r\n\r\n", "\u{feff}\n\n"] {
        let read = read_bytes(text.as_bytes(), &options(&[], &[]));
        assert_eq!(read.line, "1 record: 0 counted; 1 bad", "{text:?}");
        assert!(read.bad[0].ends_with(":1: there are empty lines, and nothing else"), "{:?}", read.bad);
    }
    assert_eq!(read_bytes(b"", &options(&[], &[])).line, "0 records: 0 counted");
    assert_eq!(read_bytes(b"time_ms,operation,table,pk\n", &options(&[], &[])).line, "0 records: 0 counted");
}

#[test]
fn lists_without_records_are_files_without_records() {
    let good = temporary(b"1000,write,t,a\n");
    for text in
        ["[]", "{\"Records\": []}", "\u{feff}{\"Records\":[],\"x\":[1,{}]}\n[ ]\n", "{\"events\":[\n]}"]
    {
        assert_eq!(read_bytes(text.as_bytes(), &options(&[], &[])).line, "0 records: 0 counted", "{text}");
        let empty = temporary(text.as_bytes());
        let read = try_read(&[empty.clone(), good.clone()], &options(&[], &[])).unwrap();
        assert_eq!(read.line, "1 record: 1 counted", "{text}");
        std::fs::remove_file(empty).unwrap();
    }
    std::fs::remove_file(good).unwrap();
    for text in ["[", "{}", "[1]", "{\"Records\": [}", "words"] {
        assert!(try_read_bytes(text.as_bytes(), &options(&[], &[])).is_err(), "{text}");
    }
}

#[test]
fn a_time_in_fractions_of_a_second_keeps_its_milliseconds() {
    for ms in 1_772_445_841_000..1_772_445_841_100_u64 {
        let time = format!("{}.{:03}", ms / 1_000, ms % 1_000);
        let record = format!(
            r#"{{"dynamodb":{{"ApproximateCreationDateTime":{time},"Keys":{{"id":{{"S":"a"}}}}}},"tableName":"events"}}"#
        );
        let logged = format!(
            r#"{{"time":{time},"clientName":"DynamoDBClient","commandName":"GetItemCommand","input":{{"TableName":"events","Key":{{"id":{{"S":"a"}}}}}},"output":{{}}}}"#
        );
        for text in [record, logged] {
            assert_eq!(read_bytes(text.as_bytes(), &options(&[("events", "id")], &[])).times, [ms], "{text}");
        }
    }
}

#[test]
fn an_amount_may_be_of_half_units() {
    let amounts = ["1", "0.5", "1.5", "2.0", "2.500", "0001.0"];
    let text: String = amounts.iter().map(|amount| format!("1000,write,t,{amount},{amount}\n")).collect();
    let Read { counts, units, line, .. } = read_bytes(text.as_bytes(), &options(&[], &[]));
    let of = |pk, n| format!("write t {pk} {n}");
    assert_eq!(
        counts,
        [of("0.5", 1), of("0001.0", 1), of("1", 1), of("1.5", 2), of("2.0", 2), of("2.500", 3)]
    );
    assert_eq!(
        units,
        [of("0.5", 1), of("0001.0", 2), of("1", 2), of("1.5", 3), of("2.0", 4), of("2.500", 5)]
    );
    assert_eq!(line, "6 records: 6 counted");
    for amount in
        ["0", "0.0", ".5", "1.", "0.25", "0.51", "0.5x", "1.5.0", "-0.5", "9999999999999999999", "1e3"]
    {
        let read = read_bytes(format!("1000,write,t,a,{amount}\n").as_bytes(), &options(&[], &[]));
        assert_eq!(read.line, "1 record: 0 counted; 1 bad", "{amount}");
    }
}
