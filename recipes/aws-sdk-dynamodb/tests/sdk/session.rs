//! A watched client of an emulator, with a table of its own, and what should have been counted.

use crate::client::{detector, watched};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, ConsumedCapacity, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    LocalSecondaryIndex, Projection, ProjectionType, ScalarAttributeType,
};
use hotpart::{Detector, Operation, Unattributed};
use hotpart_recipe_aws_sdk_dynamodb::Watch;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

pub struct Session {
    pub client: Client,
    pub detector: Arc<Detector>,
    pub table: String,
    /// The capacity that all answers told, in half units.
    pub took: f64,
    capacity: bool,
    watch: Watch,
    expected: BTreeMap<(Operation, String, String), u64>,
}

/// Sends a request that asks for its capacity, adds that up, and gives the answer.
macro_rules! call {
    ($session:ident, $request:expr) => {{
        let request = $request.return_consumed_capacity(ReturnConsumedCapacity::Indexes);
        let answer = request.send().await.unwrap();
        $session.took += answer.consumed_capacity.as_ref().map_or(0.0, Told::half_units);
        answer
    }};
}
pub(crate) use call;

/// The capacity that an answer tells, of one table or of several.
pub trait Told {
    fn half_units(&self) -> f64;
}

impl Told for ConsumedCapacity {
    fn half_units(&self) -> f64 {
        self.capacity_units.unwrap_or_default() * 2.0
    }
}

impl Told for Vec<ConsumedCapacity> {
    fn half_units(&self) -> f64 {
        self.iter().map(Told::half_units).sum()
    }
}

impl Session {
    /// With a table of the key `id`, `n`, and the indexes `by_l` (local, `l`) and `by_g` (global,
    /// `g`).
    pub async fn open(endpoint: &str, capacity: bool) -> Self {
        static TABLES: AtomicU32 = AtomicU32::new(0);
        let (detector, table) = (detector(capacity), format!("table{}", TABLES.fetch_add(1, Relaxed)));
        let watch = Watch::new(Arc::clone(&detector));
        let client = watched(endpoint, &watch);
        create(&client, &table).await;
        Self { client, detector, table, took: 0.0, capacity, watch, expected: BTreeMap::new() }
    }

    pub fn wrote(&mut self, pk: &str, times: u64) {
        self.add(Operation::Write, self.table.clone(), pk, times);
    }

    pub fn read(&mut self, pk: &str, times: u64) {
        self.add(Operation::Read, self.table.clone(), pk, times);
    }

    pub fn wrote_index(&mut self, index: &str, pk: &str, times: u64) {
        self.add(Operation::Write, format!("{}/index/{index}", self.table), pk, times);
    }

    pub fn read_index(&mut self, index: &str, pk: &str, times: u64) {
        self.add(Operation::Read, format!("{}/index/{index}", self.table), pk, times);
    }

    fn add(&mut self, operation: Operation, table: String, pk: &str, times: u64) {
        *self.expected.entry((operation, table, pk.to_owned())).or_default() += times;
    }

    fn count(&self, operation: Operation, table: &str, pk: &str) -> u64 {
        match operation {
            Operation::Write => self.detector.write_count(table, pk),
            Operation::Read => self.detector.read_count(table, pk),
        }
        .unwrap()
    }

    /// Operations one by one; units by their sum, which the answers have told.
    pub fn check(&mut self) {
        assert_eq!(self.watch.failures(), 0);
        let statistics = self.detector.statistics();
        let index = format!("{}/index/by_g", self.table);
        if self.capacity {
            // Units of an index that is not expected are told too.
            self.add(Operation::Write, index, "x", 0);
        }
        let counted: BTreeMap<_, _> =
            self.expected.keys().map(|key| (key.clone(), self.count(key.0, &key.1, &key.2))).collect();
        if self.capacity {
            let stray = [Unattributed::ScanUnits, Unattributed::IndexUnits];
            let stray: u64 = stray.iter().map(|&what| statistics.unattributed[what as usize]).sum();
            let told = counted.values().sum::<u64>() + stray - statistics.estimated_half_units;
            assert_eq!(told as f64, self.took, "{counted:?}");
        } else {
            assert_eq!(counted, self.expected);
            let mut partitions: Vec<_> = self.expected.keys().map(|(_, table, pk)| (table, pk)).collect();
            partitions.sort();
            partitions.dedup();
            assert_eq!(statistics.partitions, partitions.len() as u64);
        }
    }
}

/// Makes that table, which is then described once, as a program does when it starts.
async fn create(client: &Client, table: &str) {
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
    };
    let key =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let all = || Projection::builder().projection_type(ProjectionType::All).build();
    let (hash, range) = (KeyType::Hash, KeyType::Range);
    let local = LocalSecondaryIndex::builder().index_name("by_l").projection(all());
    let local =
        local.key_schema(key("id", hash.clone())).key_schema(key("l", range.clone())).build().unwrap();
    let global = GlobalSecondaryIndex::builder().index_name("by_g").projection(all());
    let global = global.key_schema(key("g", hash.clone())).build().unwrap();
    let create = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    let create = create.key_schema(key("id", hash)).key_schema(key("n", range));
    let create = create.set_attribute_definitions(Some(
        [
            ("id", ScalarAttributeType::S),
            ("n", ScalarAttributeType::N),
            ("l", ScalarAttributeType::S),
            ("g", ScalarAttributeType::S),
        ]
        .map(|(name, kind)| attribute(name, kind))
        .into(),
    ));
    create.local_secondary_indexes(local).global_secondary_indexes(global).send().await.unwrap();
    client.describe_table().table_name(table).send().await.unwrap();
}
