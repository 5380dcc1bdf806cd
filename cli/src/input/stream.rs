//! Streams: the records of DynamoDB Streams, and of a Kinesis data stream for DynamoDB.
//!
//! Each record is a write that was done. It is handed on as an update of its key, whose response
//! tells the item, as far as the record has it, and the capacity: by the record's size, a unit for
//! each KiB.

use crate::entry::Exchange;
use crate::input::format::Options;
use crate::input::json::{Log, Members, object, quoted};
use crate::input::parse::Out;
use crate::input::pieces::{Piece, Pieces};
use crate::input::timestamp;
use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The records of a stream.
pub struct Stream {
    /// The table of records that name none.
    table: Option<String>,
}

impl Stream {
    pub fn new(options: &Options) -> Self {
        let mut tables = options.keys.keys().filter(|name| !name.contains("/index/"));
        let only = tables.next().filter(|_| tables.next().is_none());
        Self { table: only.cloned() }
    }

    /// Returns whether an object is a record, or has one in it.
    pub fn is(members: &Members<'_>) -> bool {
        let has_keys = |record: Members<'_>| {
            record.object("dynamodb").is_some_and(|change| change.get("Keys").is_some())
        };
        let is_encoded = || {
            let data = data(members)?;
            Some(Members::of(&STANDARD.decode(data).ok()?).is_some_and(has_keys))
        };
        members.object("dynamodb").is_some_and(|change| change.get("Keys").is_some())
            || is_encoded().unwrap_or_default()
    }

    fn record(&self, line: u64, record: &Members<'_>, out: &mut Out<'_>) -> Result<()> {
        let change = record.object("dynamodb");
        let Some((change, keys)) = change.as_ref().and_then(|change| Some((change, change.get("Keys")?)))
        else {
            return out.bad(line, "this is no record of a stream: there are no dynamodb.Keys");
        };
        if is_expiry(record) {
            out.without_entries("deleted by their time to live, which costs nothing");
            return Ok(());
        }
        let Some(time_ms) = time(change) else {
            return out.bad(line, "ApproximateCreationDateTime is no time");
        };
        let arn = record.text("eventSourceARN");
        let in_arn =
            arn.as_ref().and_then(|arn| Some(arn.split_once(":table/")?.1.split('/').next()?.to_owned()));
        let table = record.text("tableName").map(String::from).or(in_arn).or_else(|| self.table.clone());
        let Some(table) = table else {
            return out.bad(
                line,
                "the record does not name its table: name it with --key TABLE=ATTRIBUTE, of one table only",
            );
        };
        let table = quoted(&table);
        // A delete is a write on the indexes that the item was in.
        let image = change.get("NewImage").or_else(|| change.get("OldImage"));
        let request = object(&[
            ("TableName", Some(&table)),
            ("Key", Some(keys)),
            ("ReturnValues", Some("\"ALL_NEW\"")),
        ]);
        let size = change.get("SizeBytes").and_then(|size| size.parse::<u64>().ok());
        let units = size.unwrap_or_default().div_ceil(1_024).max(1);
        let capacity = format!(
            r#"{{"TableName":{table},"CapacityUnits":{units}.0,"Table":{{"CapacityUnits":{units}.0}}}}"#
        );
        let response = object(&[("Attributes", image), ("ConsumedCapacity", Some(&capacity))]);
        let from = out.at(line);
        out.exchange(&Exchange {
            from,
            time_ms,
            operation: b"UpdateItem",
            request: request.as_bytes(),
            response: Some(response.as_bytes()),
            model: None,
            http_status: 200,
        })
    }
}

impl Log for Stream {
    fn take(&mut self, line: u64, object: &[u8], out: &mut Out<'_>) -> Result<()> {
        let Some(members) = Members::of(object) else { return out.bad(line, "this is not JSON") };
        let Some(data) = data(&members) else { return self.record(line, &members, out) };
        let Ok(data) = STANDARD.decode(&data) else { return out.bad(line, "the data is not base64") };
        // A producer may have put several records into one.
        let mut pieces = Pieces::new(&data[..]);
        let mut is_empty = true;
        while let Some(piece) = pieces.next()? {
            is_empty = false;
            match piece {
                Piece::Broken { reason, .. } => out.bad(line, reason)?,
                Piece::Object { text, .. } => match Members::of(text) {
                    Some(record) => self.record(line, &record, out)?,
                    None => out.bad(line, "the data is not JSON")?,
                },
            }
        }
        if is_empty { out.bad(line, "the data is empty") } else { Ok(()) }
    }
}

/// Whether the item was deleted as its time to live was over: no other write is that, though the
/// same name be on it.
fn is_expiry(record: &Members<'_>) -> bool {
    let user = record.object("userIdentity");
    record.text("eventName").is_none_or(|name| name == "REMOVE")
        && user.is_some_and(|user| user.text("principalId").is_some_and(|id| id == "dynamodb.amazonaws.com"))
}

/// Returns the data that Kinesis has in base64: of its own records, and of those that Lambda and
/// Firehose get.
fn data(members: &Members<'_>) -> Option<String> {
    let kinesis = members.object("kinesis");
    let data = kinesis.as_ref().unwrap_or(members).text("data")?;
    members.get("dynamodb").is_none().then(|| data.into_owned())
}

/// Returns the time of a change. It is a date, or in seconds, milliseconds or microseconds; a
/// member tells which of the latter two.
fn time(change: &Members<'_>) -> Option<u64> {
    let time = change.get("ApproximateCreationDateTime")?;
    if time.starts_with('"') {
        return timestamp::parse(change.text("ApproximateCreationDateTime")?.as_bytes());
    }
    let time: f64 = time.parse().ok().filter(|time| (0.0..1e17).contains(time))?;
    let precision = change.text("ApproximateCreationDateTimePrecision");
    Some(match precision.as_deref() {
        Some("MICROSECOND") => (time / 1e3) as u64,
        Some("MILLISECOND") => time as u64,
        // Seconds reach this in the year 5138; milliseconds were there in 1973. The same holds of
        // milliseconds and microseconds.
        _ if time < 1e11 => timestamp::of_seconds(time),
        _ if time < 1e14 => time as u64,
        _ => (time / 1e3) as u64,
    })
}
