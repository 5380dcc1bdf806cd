//! A request that is rewritten to ask for capacity says the same as before in all else:
//! serde_json's reading of both is compared.

#![cfg(feature = "dynamodb")]

use hotpart::ask_capacity;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const MEMBER: &str = "ReturnConsumedCapacity";

/// Names and texts that could be taken for the member, or break what looks for it.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(MEMBER.to_owned()),
        prop::sample::select(vec![
            "NONE",
            "INDEXES",
            "TOTAL",
            "",
            "{",
            "}",
            "\"",
            "\\",
            "é\u{1F600}",
            "\n\0"
        ])
        .prop_map(str::to_owned),
        Just(format!("\"{MEMBER}\":\"NONE\"")),
        any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text(), inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Objects, of which many have the member.
fn request() -> impl Strategy<Value = Map<String, Value>> {
    let own = prop_oneof![text().prop_map(Value::from), Just(json!("NONE")), value()];
    (vec((text(), value()), 0..5), prop::option::of(own)).prop_map(|(members, own)| {
        let mut request: Map<String, Value> = members.into_iter().collect();
        if let Some(own) = own {
            request.insert(MEMBER.to_owned(), own);
        }
        request
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_else_is_as_it_was(request in request(), pretty in any::<bool>()) {
        let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
        let asking = ask_capacity("Query", write(&request).unwrap()).unwrap();
        let mut expected = request;
        let asks = match expected.get(MEMBER) {
            None | Some(Value::Null) => false,
            Some(own) => own != "NONE",
        };
        prop_assert_eq!(asking.is_none(), asks);
        if let Some(asking) = asking {
            expected.insert(MEMBER.to_owned(), json!("INDEXES"));
            prop_assert_eq!(serde_json::from_str::<Map<String, Value>>(&asking).unwrap(), expected);
            prop_assert_eq!(ask_capacity("Query", &asking), Ok(None));
        }
    }

    #[test]
    fn what_is_no_object_is_left_alone(value in value(), cut in any::<prop::sample::Index>()) {
        let json = value.to_string();
        if !value.is_object() {
            prop_assert_eq!(ask_capacity("Query", &json), Ok(None));
        }
        prop_assert_eq!(ask_capacity("Query", &json.as_bytes()[..cut.index(json.len())]), Ok(None));
        prop_assert_eq!(ask_capacity("ListTables", &json), Ok(None));
    }
}
