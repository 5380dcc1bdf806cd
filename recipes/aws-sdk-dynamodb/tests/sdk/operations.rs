//! Every operation by the real SDK against emulators: what is counted is what was sent.

use crate::client::{Item, asking, item, n, s};
use crate::emulator::Emulator;
use crate::session::{Session, Told, call};
use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementRequest, ComparisonOperator, Condition, ConditionCheck, Delete,
    DeleteRequest, Get, KeysAndAttributes, ParameterizedStatement, Put, PutRequest, ReturnConsumedCapacity,
    TransactGetItem, TransactWriteItem, Update, WriteRequest,
};
use hotpart::{Operation, Unattributed};
use hotpart_recipe_aws_sdk_dynamodb::Watch;
use std::sync::Arc;

#[tokio::test]
async fn dynalite() {
    let Some(emulator) = Emulator::start("DYNALITE", &["--createTableMs", "0", "--port"]) else { return };
    older(&emulator.endpoint).await;
    units_are_exact(Session::open(&emulator.endpoint, true).await, &emulator.endpoint).await;
}

#[tokio::test]
async fn dynoxide() {
    let Some(emulator) = Emulator::start("DYNOXIDE", &["serve", "--host", "127.0.0.1", "--port"]) else {
        return;
    };
    older(&emulator.endpoint).await;
    // dynalite knows neither.
    for capacity in [false, true] {
        transactions(Session::open(&emulator.endpoint, capacity).await).await;
        partiql(Session::open(&emulator.endpoint, capacity).await).await;
    }
    indexes_are_apart(Session::open(&emulator.endpoint, true).await).await;
    a_total_hides_no_index(Session::open(&emulator.endpoint, true).await, &emulator.endpoint).await;
}

async fn older(endpoint: &str) {
    for capacity in [false, true] {
        items(Session::open(endpoint, capacity).await).await;
        batches(Session::open(endpoint, capacity).await).await;
        queries_and_scans(Session::open(endpoint, capacity).await).await;
        refusals(Session::open(endpoint, capacity).await).await;
    }
}

fn indexed(pk: &str) -> Item {
    item([("id", s(pk)), ("n", n(1)), ("g", s("x")), ("l", s("y"))])
}

fn key(pk: &str, number: u32) -> Item {
    item([("id", s(pk)), ("n", n(number))])
}

async fn items(mut t: Session) {
    call!(t, t.client.put_item().table_name(&t.table).set_item(Some(indexed("a"))));
    t.wrote("a", 1);
    t.wrote_index("by_g", "x", 1);
    let get = |pk| t.client.get_item().table_name(&t.table).set_key(Some(key(pk, 1)));
    let gets = [get("a"), get("a").consistent_read(true), get("missing")];
    for get in gets {
        call!(t, get);
    }
    t.read("a", 2);
    t.read("missing", 1);
    let update = t.client.update_item().table_name(&t.table).set_key(Some(key("b", 1)));
    call!(t, update.update_expression("SET v = :v").expression_attribute_values(":v", s("1")));
    t.wrote("b", 1);
    call!(t, t.client.delete_item().table_name(&t.table).set_key(Some(key("a", 1))));
    t.wrote("a", 1);
    t.check();
}

async fn batches(mut t: Session) {
    let put = |pk, number| {
        let put = PutRequest::builder().set_item(Some(key(pk, number))).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let puts = vec![put("a", 1), put("a", 2), put("b", 1)];
    call!(t, t.client.batch_write_item().request_items(&t.table, puts));
    t.wrote("a", 2);
    t.wrote("b", 1);
    let keys = [("a", 1), ("a", 2), ("b", 1), ("c", 1)].map(|(pk, number)| key(pk, number));
    let keys = KeysAndAttributes::builder().set_keys(Some(keys.into())).build().unwrap();
    call!(t, t.client.batch_get_item().request_items(&t.table, keys));
    t.read("a", 2);
    t.read("b", 1);
    t.read("c", 1);
    let delete = DeleteRequest::builder().set_key(Some(key("a", 1))).build().unwrap();
    let deletes = vec![WriteRequest::builder().delete_request(delete).build()];
    call!(t, t.client.batch_write_item().request_items(&t.table, deletes));
    t.wrote("a", 1);
    t.check();
}

async fn queries_and_scans(mut t: Session) {
    call!(t, t.client.put_item().table_name(&t.table).set_item(Some(indexed("a"))));
    t.wrote("a", 1);
    t.wrote_index("by_g", "x", 1);
    let query = || t.client.query().table_name(&t.table);
    let by = |condition, value| {
        query().key_condition_expression(condition).expression_attribute_values(":v", s(value))
    };
    let between = by("(#i = :v) AND (n BETWEEN :w AND :x)", "a").expression_attribute_names("#i", "id");
    let equal = Condition::builder().attribute_value_list(s("a")).comparison_operator(ComparisonOperator::Eq);
    let queries = [
        by("id = :v", "a"),
        between.expression_attribute_values(":w", n(0)).expression_attribute_values(":x", n(9)),
        query().key_conditions("id", equal.build().unwrap()),
        by("id = :v AND l = :y", "a").index_name("by_l").expression_attribute_values(":y", s("y")),
        by("g = :v", "x").index_name("by_g"),
        by("id = :v", "no"),
    ];
    let mut found = Vec::new();
    for query in queries {
        found.push(call!(t, query).count());
    }
    assert_eq!(found, [1, 1, 1, 1, 1, 0]);
    t.read("a", 4);
    t.read_index("by_g", "x", 1);
    t.read("no", 1);
    call!(t, t.client.scan().table_name(&t.table));
    assert_eq!(t.detector.unattributed_count(&t.table, Operation::Read, Unattributed::Scans), Ok(1));
    t.check();
}

async fn refusals(mut t: Session) {
    let put = |item| t.client.put_item().table_name(&t.table).set_item(Some(item));
    let (first, again) =
        (put(key("a", 1)), put(key("a", 1)).condition_expression("attribute_not_exists(id)"));
    let bad = put(item([("id", s("bad"))]));
    call!(t, first);
    assert!(again.send().await.unwrap_err().into_service_error().is_conditional_check_failed_exception());
    t.wrote("a", 2);
    bad.send().await.unwrap_err();
    let nobody = t.client.get_item().table_name("nobody").set_key(Some(key("a", 1))).send().await;
    assert!(nobody.unwrap_err().into_service_error().is_resource_not_found_exception());
    t.check();
}

async fn transactions(mut t: Session) {
    call!(t, t.client.put_item().table_name(&t.table).set_item(Some(key("c", 1))));
    t.wrote("c", 1);
    let item = TransactWriteItem::builder;
    let put = |pk| Put::builder().table_name(&t.table).set_item(Some(key(pk, 1))).build().unwrap();
    let exists = |pk| {
        let check = ConditionCheck::builder().table_name(&t.table).set_key(Some(key(pk, 1)));
        check.condition_expression("attribute_exists(id)").build().unwrap()
    };
    let update = Update::builder().table_name(&t.table).set_key(Some(key("a", 2)));
    let update = update.update_expression("SET v = :v").expression_attribute_values(":v", s("1"));
    let delete = Delete::builder().table_name(&t.table).set_key(Some(key("b", 1)));
    let write = t.client.transact_write_items();
    let write = write.transact_items(item().put(put("a")).build());
    let write = write.transact_items(item().update(update.build().unwrap()).build());
    let write = write.transact_items(item().delete(delete.build().unwrap()).build());
    let write = write.transact_items(item().condition_check(exists("c")).build());
    let cancelled = t.client.transact_write_items().transact_items(item().put(put("d")).build());
    let cancelled = cancelled.transact_items(item().condition_check(exists("e")).build());
    let gets = ["a", "b"].map(|pk| {
        let get = Get::builder().table_name(&t.table).set_key(Some(key(pk, 1))).build().unwrap();
        TransactGetItem::builder().get(get).build()
    });
    call!(t, write);
    t.wrote("a", 2);
    t.wrote("b", 1);
    t.wrote("c", 1);
    call!(t, t.client.transact_get_items().set_transact_items(Some(gets.into())));
    t.read("a", 1);
    t.read("b", 1);
    assert!(cancelled.send().await.unwrap_err().into_service_error().is_transaction_canceled_exception());
    t.wrote("d", 1);
    t.wrote("e", 1);
    t.check();
}

async fn partiql(mut t: Session) {
    let execute = |statement: String| t.client.execute_statement().statement(statement);
    let table = format!("\"{}\"", t.table);
    let insert = execute(format!("INSERT INTO {table} VALUE {{'id': 'a', 'n': 1, 'g': 'x'}}"));
    let update = execute(format!("UPDATE {table} SET v = ? WHERE id = ? AND n = ?"));
    let select = execute(format!("SELECT * FROM {table} WHERE id = ?")).parameters(s("a"));
    let scan = execute(format!("SELECT * FROM {table}"));
    call!(t, insert);
    call!(t, update.parameters(s("no")).parameters(s("a")).parameters(n(1)));
    t.wrote("a", 2);
    t.wrote_index("by_g", "x", 1);
    assert_eq!(call!(t, select).items().len(), 1);
    call!(t, scan);
    let selects = ["a", "b"].map(|pk| {
        let select = BatchStatementRequest::builder().parameters(s(pk)).parameters(n(1));
        select.statement(format!("SELECT * FROM {table} WHERE id = ? AND n = ?")).build().unwrap()
    });
    call!(t, t.client.batch_execute_statement().set_statements(Some(selects.into())));
    t.read("a", 2);
    t.read("b", 1);
    let delete = ParameterizedStatement::builder().parameters(s("a")).parameters(n(1));
    let delete = delete.statement(format!("DELETE FROM {table} WHERE id = ? AND n = ?")).build().unwrap();
    let insert = format!("INSERT INTO {table} VALUE {{'id': 'c', 'n': 1}}");
    let insert = ParameterizedStatement::builder().statement(insert).build().unwrap();
    call!(t, t.client.execute_transaction().transact_statements(delete).transact_statements(insert));
    t.wrote("a", 1);
    t.wrote("c", 1);
    assert_eq!(t.detector.unattributed_count(&t.table, Operation::Read, Unattributed::Scans), Ok(1));
    t.check();
}

/// In half units, and asked for by the interceptor.
async fn units_are_exact(t: Session, endpoint: &str) {
    let client = asking(endpoint, &Watch::new(Arc::clone(&t.detector)));
    let large = AttributeValue::S("x".repeat(100_000));
    let put = client.put_item().table_name(&t.table).set_item(Some(key("a", 1))).item("x", large);
    assert_eq!(put.send().await.unwrap().consumed_capacity, None);
    assert_eq!(t.detector.write_count(&t.table, "a"), Ok(2 * 98));
    let get = client.get_item().table_name(&t.table).set_key(Some(key("a", 1)));
    assert_eq!(get.clone().consistent_read(true).send().await.unwrap().consumed_capacity, None);
    assert_eq!(t.detector.read_count(&t.table, "a"), Ok(2 * 25));
    let asked = get.return_consumed_capacity("TOTAL".into()).send().await.unwrap().consumed_capacity.unwrap();
    assert_eq!(asked.capacity_units, Some(12.5));
    assert_eq!(t.detector.read_count(&t.table, "a"), Ok(2 * 25 + 25));
    assert_eq!(t.detector.statistics().estimated_half_units, 0);
}

async fn indexes_are_apart(mut t: Session) {
    let index = format!("{}/index/by_g", t.table);
    call!(t, t.client.put_item().table_name(&t.table).set_item(Some(indexed("a"))));
    assert_eq!(t.detector.write_count(&t.table, "a"), Ok(4), "the table and its local index");
    assert_eq!(t.detector.write_count(&index, "x"), Ok(2));
    call!(t, t.client.delete_item().table_name(&t.table).set_key(Some(key("a", 1))));
    assert_eq!(t.detector.unattributed_count(&index, Operation::Write, Unattributed::IndexUnits), Ok(2));
}

async fn a_total_hides_no_index(t: Session, endpoint: &str) {
    let client = asking(endpoint, &Watch::new(Arc::clone(&t.detector)));
    let put = client.put_item().table_name(&t.table).set_item(Some(indexed("a")));
    let put = put.return_consumed_capacity("TOTAL".into()).send().await.unwrap();
    let told = put.consumed_capacity.unwrap();
    assert_eq!((told.capacity_units, told.table, told.global_secondary_indexes), (Some(3.0), None, None));
    assert_eq!(t.detector.write_count(&t.table, "a"), Ok(4), "the table and its local index");
    assert_eq!(t.detector.write_count(format!("{}/index/by_g", t.table), "x"), Ok(2));
    assert_eq!(t.detector.statistics().estimated_half_units, 0);
}
