//! Capacity: what is asked for it, and what the caller gets to see.

use crate::client::{asking, detector, s, watched};
use crate::server::{Answer, Fake, ok};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ParameterizedStatement, Put, TransactWriteItem};
use hotpart_recipe_aws_sdk_dynamodb::Watch;
use std::sync::Arc;

#[tokio::test]
async fn capacity_is_asked_for_and_taken_out_again() {
    let (server, detector) = (Fake::new(), detector(true));
    detector.set_key_schema("events", None, &["id"]).unwrap();
    let client = asking(&server.endpoint, &Watch::new(Arc::clone(&detector)));
    let answer = r#"{"ConsumedCapacity":{"TableName":"events","CapacityUnits":7.5}}"#;
    server.answer([Answer::Dropped, ok(answer), ok(answer)]);
    let get = client.get_item().table_name("events").key("id", s("k"));
    assert_eq!(get.clone().send().await.unwrap().consumed_capacity(), None);
    let asked = get.return_consumed_capacity("TOTAL".into()).send().await.unwrap();
    assert_eq!(asked.consumed_capacity().unwrap().capacity_units(), Some(7.5));
    // In half units; the answer that was lost is estimated at half a unit.
    assert_eq!(detector.read_count("events", "k"), Ok(15 + 15 + 1));
}

#[tokio::test]
async fn a_transaction_with_the_caller_s_token_is_the_same_request() {
    let (server, detector) = (Fake::new(), detector(true));
    detector.set_key_schema("events", None, &["id"]).unwrap();
    let watch = Watch::new(Arc::clone(&detector));
    let clients = [asking(&server.endpoint, &watch), watched(&server.endpoint, &watch)];
    let put = || {
        let put = Put::builder().table_name("events").item("id", s("k")).build().unwrap();
        TransactWriteItem::builder().put(put).build()
    };
    let delete = || ParameterizedStatement::builder().statement("DELETE FROM events WHERE id='k'").build();
    for client in &clients {
        server.answer([ok("{}"), ok("{}")]);
        client.transact_write_items().transact_items(put()).client_request_token("t").send().await.unwrap();
        let delete = client.execute_transaction().transact_statements(delete().unwrap());
        delete.client_request_token("t").send().await.unwrap();
    }
    let sent = server.requests();
    assert_eq!(sent[..2], sent[2..]);
    // The token that the SDK gives is nobody else's.
    server.answer([ok("{}")]);
    clients[0].transact_write_items().transact_items(put()).send().await.unwrap();
    let asks = server.requests().pop().unwrap();
    assert!(asks.contains("ClientRequestToken") && asks.contains("INDEXES"), "{asks}");
}

#[tokio::test]
async fn who_asked_for_the_total_gets_the_total() {
    const TOOK: &str = r#"{"TableName":"events","CapacityUnits":3.0,"WriteCapacityUnits":3.0,
        "Table":{"CapacityUnits":1.0},"LocalSecondaryIndexes":{"by_l":{"CapacityUnits":1.0}},
        "GlobalSecondaryIndexes":{"by_g":{"CapacityUnits":1.0}},
        "VectorIndexes":{"v":{"VectorWriteRequestBytes":9.0}}}"#;
    let (server, detector) = (Fake::new(), detector(true));
    detector.set_key_schema("events", None, &["id"]).unwrap();
    detector.set_key_schema("events", Some(b"by_g"), &["g"]).unwrap();
    let client = asking(&server.endpoint, &Watch::new(Arc::clone(&detector)));
    let put = || Put::builder().table_name("events").item("id", s("k")).item("g", s("x")).build().unwrap();
    let total =
        ConsumedCapacity::builder().table_name("events").capacity_units(3.0).write_capacity_units(3.0);
    let total = total.build();
    server.answer([
        ok(&format!(r#"{{"ConsumedCapacity":{TOOK}}}"#)),
        ok(&format!(r#"{{"ConsumedCapacity":[{TOOK}]}}"#)),
        ok(&format!(r#"{{"ConsumedCapacity":{TOOK}}}"#)),
        ok("{}"),
    ]);
    let asks = || client.put_item().table_name("events").set_item(put().item.into());
    let one = asks().return_consumed_capacity("TOTAL".into()).send().await.unwrap();
    assert_eq!(one.consumed_capacity, Some(total.clone()));
    let all = client.transact_write_items().return_consumed_capacity("TOTAL".into());
    let all = all.transact_items(TransactWriteItem::builder().put(put()).build()).send().await.unwrap();
    assert_eq!(all.consumed_capacity, Some(vec![total]));
    assert_eq!(detector.write_count("events", "k"), Ok(8), "the table and its local index");
    assert_eq!(detector.write_count("events/index/by_g", "x"), Ok(4));
    let one = asks().return_consumed_capacity("INDEXES".into()).send().await.unwrap();
    assert!(one.consumed_capacity.unwrap().global_secondary_indexes.is_some());
    let none = asks().return_consumed_capacity("TOTAL".into()).send().await.unwrap();
    assert_eq!(none.consumed_capacity, None);
    assert!(server.requests().iter().all(|sent| sent.contains("INDEXES") && !sent.contains("TOTAL")));
}
