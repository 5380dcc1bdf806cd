//! Statements. Nothing panics; and a statement does the same by itself, amid white space, in a
//! batch and in a transaction, but that those answer for each of theirs.
#![no_main]

mod watched;

use libfuzzer_sys::fuzz_target;
use watched::Watched;

/// Parameters: keys of each type, and one that is no key.
const PARAMETERS: &str = r#"[{"S":"k"},{"N":"1.0"},{"B":"aGk="},{"BOOL":true},{"L":[{"S":"k"}]},{"S":""},{"M":{"p":{"S":"k"}}},{"NULL":true}]"#;

fuzz_target!(|bytes: &[u8]| {
    let Ok(statement) = std::str::from_utf8(bytes) else { return };
    let spelled = |statement: &str| {
        let statement = serde_json::to_string(statement).unwrap();
        format!(r#"{{"Statement":{statement},"Parameters":{PARAMETERS}}}"#)
    };
    let observe = |operation: &str, request: String| {
        let watched = Watched::new(false);
        let actions = watched.observe(operation.as_bytes(), 200, request.as_bytes(), b"{}");
        (actions, watched.shown())
    };
    let alone = observe("ExecuteStatement", spelled(statement));
    assert_eq!(observe("ExecuteStatement", spelled(&format!(" \t\r\n{statement}\n "))), alone);
    let batch = observe("BatchExecuteStatement", format!(r#"{{"Statements":[{}]}}"#, spelled(statement)));
    let transaction =
        observe("ExecuteTransaction", format!(r#"{{"TransactStatements":[{}]}}"#, spelled(statement)));
    // A statement that pins no key is tallied by itself, and refused where each must pin one.
    if alone.0 > 0 {
        assert_eq!(batch.0, alone.0);
        assert_eq!(transaction.0, alone.0);
    }
});
