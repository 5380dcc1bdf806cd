//! Schemas: the keys of tables, from files with what DescribeTable answers.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Said of a file that has something else in it.
pub const NO_DESCRIPTION: &str =
    "this is not the description of a table, as `aws dynamodb describe-table` prints it";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    table: Table,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Table {
    table_name: String,
    key_schema: Vec<Element>,
    #[serde(default)]
    global_secondary_indexes: Vec<Index>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    index_name: String,
    key_schema: Vec<Element>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Element {
    attribute_name: String,
    key_type: String,
}

/// Returns the attributes of the partition key of each table that a file describes and, as
/// `TABLE/index/INDEX`, of its global indexes.
///
/// # Errors
/// The file can't be read, or has something else in it, or nothing.
pub fn keys(path: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let name = || path.display().to_string();
    let text = std::fs::read(path).with_context(name)?;
    let mut keys = BTreeMap::new();
    for answer in serde_json::Deserializer::from_slice(&text).into_iter::<Answer>() {
        let Answer { table } = answer.context(NO_DESCRIPTION).with_context(name)?;
        for index in table.global_secondary_indexes {
            keys.insert(format!("{}/index/{}", table.table_name, index.index_name), hashed(index.key_schema));
        }
        keys.insert(table.table_name, hashed(table.key_schema));
    }
    if keys.is_empty() {
        bail!("{}: there is no table in it", name());
    }
    Ok(keys)
}

/// Returns the attributes of a partition key.
fn hashed(key: Vec<Element>) -> Vec<String> {
    key.into_iter()
        .filter(|element| element.key_type == "HASH")
        .map(|element| element.attribute_name)
        .collect()
}
