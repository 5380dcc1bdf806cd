//! Pieces of files that are put together in every way, and broken.

use super::*;
use std::io::BufReader;

/// All pieces, read through a buffer of this size: an object's text, or the reason for which it is
/// broken.
fn pieces(text: &str, buffer: usize) -> Vec<(u64, String)> {
    let mut pieces = Pieces::new(BufReader::with_capacity(buffer, text.as_bytes()));
    let mut all = Vec::new();
    while let Some(piece) = pieces.next().unwrap() {
        all.push(match piece {
            Piece::Object { line, text } => (line, String::from_utf8(text.to_vec()).unwrap()),
            Piece::Broken { line, reason } => (line, format!("! {reason}")),
        });
    }
    all
}

fn check(text: &str, expected: &[(u64, &str)]) {
    let expected: Vec<_> = expected.iter().map(|&(line, text)| (line, text.to_owned())).collect();
    for buffer in [1, 2, 3, 7, 10_000] {
        assert_eq!(pieces(text, buffer), expected, "{text} by {buffer}");
    }
}

#[test]
fn objects_are_found_however_they_are_put_together() {
    let two = |a, b| [(a, r#"{"a":1}"#), (b, r#"{"b":{"c":["]}"]}}"#)];
    check("", &[]);
    check(r#"{"a":1}{"b":{"c":["]}"]}}"#, &two(1, 1));
    check("\u{feff}{\"a\":1}\n\n {\"b\":{\"c\":[\"]}\"]}}\r\n", &two(1, 3));
    check(r#"[{"a":1},{"b":{"c":["]}"]}}]"#, &two(1, 1));
    check(
        "{\"Records\" : [\n{\"a\":1},\n{\"b\":{\"c\":[\"]}\"]}}\n], \"x\":\"]}{\\\"\", \"y\":{\"z\":[1]}}",
        &two(2, 3),
    );
    check(r#"{"x":{"Records":[1]},"y":[2],"Records":[{"a":1}]}{"Records":[{"b":{"c":["]}"]}}]}"#, &two(1, 1));
    check("2026-01-01T00:00:00Z {\"a\":1}\n[INFO] {\"b\":{\"c\":[\"]}\"]}}\n", &two(1, 2));
    check(
        "{\n  \"a\":\n    {\n}, \"l\": [\n{},\n{}]\n}",
        &[(1, "{\n  \"a\":\n    {\n}, \"l\": [\n{},\n{}]\n}")],
    );
    check(r#"{"a":"\\\"{"}"#, &[(1, r#"{"a":"\\\"{"}"#)]);
    check(r#"{"Records":[]}"#, &[]);
    check("{\"a\":\"x\"\n}", &[(1, "{\"a\":\"x\"\n}")]);
}

#[test]
fn what_is_broken_costs_itself_alone() {
    let whole = r#"{"b":2}"#;
    let unclosed = "! a text is not closed where its line ends";
    check("{\"a\":\"x\n{\"b\":2}\n", &[(1, unclosed), (2, whole)]);
    check("{\"a\":\"x\\\n{\"b\":2}\n", &[(1, unclosed), (2, whole)]);
    check("{\"a\":{\"c\":1\n{\"b\":2}\n", &[(1, "! an object ends before it is whole"), (2, whole)]);
    check("{\"a\":1,\n{\"b\":2}\n", &[(1, "! an object ends before it is whole"), (2, whole)]);
    check("what\n{\"b\":2}", &[(1, "! there is no JSON object on this line"), (2, whole)]);
    check("{\"a\":1]\n{\"b\":2}", &[(1, "! brackets do not match"), (2, whole)]);
    check("{\"b\":2}{\"a\":", &[(1, whole), (1, "! the file ends in the middle of an object")]);
    check("{\"Records\":[{\"b\":2}", &[(1, whole), (1, "! the file ends in the middle of a list")]);
    check("{\"b\":2}\n1, 2", &[(1, whole), (2, "! there is no JSON object on this line")]);
}

#[test]
fn levels_are_bounded() {
    let deep = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
    assert_eq!(pieces(&deep(199), 100).len(), 1);
    assert_eq!(pieces(&deep(200), 100)[0].1, "! an object has more than 200 levels");
}
