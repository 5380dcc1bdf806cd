//! Bodies of requests and responses without the values of attributes, for recordings.
//!
//! In a value's place stands its name as a partition key of its table: the same that metrics and
//! log lines give it. So a redacted recording tells the same partitions apart. The rules are in
//! `bindings/recording/README.md`, and `bindings/recording/vectors.json` holds them against what
//! the other languages write.
//!
//! `{"TableName":"orders","Key":{"id":{"N":"7.0"}}}` becomes
//! `{"TableName":"orders","Key":{"id":{"S":"..."}}}`, with the name of the key `7` for the dots.
//! The body's structure, names of attributes and whatever is not a value stay as they are.

use crate::dynamodb::action::table_of;
use crate::dynamodb::attribute::binary;
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::number;
use crate::dynamodb::partiql::redacted::{self, Literal};
use crate::key::NAME_MAX;
use std::borrow::Cow;

/// Returns the name that stands for a key, given a table and the key.
pub(crate) type StandIn<'s> = dyn Fn(&str, &[u8]) -> String + 's;

/// DynamoDB's longest partition key, in bytes. A longer value can't be one: asterisks stand for it.
const KEY_MAX: usize = 2_048;
/// The depth to which a body is read. DynamoDB allows 32 levels in a document, and each of them is
/// two of JSON.
const DEPTH_MAX: u32 = 100;
/// The table of values whose table is not known.
const UNKNOWN: &str = "?";

/// The types of values of which one name is written.
const SCALARS: [&str; 3] = ["S", "N", "B"];
/// The types of values of which a list of names is written.
const SETS: [&str; 3] = ["SS", "NS", "BS"];
/// The members that are objects by table.
const BY_TABLE: [&str; 4] = ["RequestItems", "Responses", "UnprocessedItems", "UnprocessedKeys"];
/// The lists of a request's parts.
const ASKED: [&str; 3] = ["TransactItems", "TransactStatements", "Statements"];
/// The lists of a response that have an element for each part of the request.
const ANSWERED: [&str; 2] = ["Responses", "CancellationReasons"];
/// The members that are messages for people, which may quote a value.
const MESSAGES: [&str; 2] = ["message", "Message"];

/// An object's members, with their values as they are written.
struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Members<'a> {
    /// Reads an object.
    fn of(object: &'a str) -> Result<Self, Malformed> {
        let mut members = Vec::new();
        json::each(object, |name, value| {
            members.push((name, value));
            Ok::<(), Malformed>(())
        })?;
        Ok(Self(members))
    }

    /// Returns the value of a member; of several with one name the last.
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(each, _)| each == name).map(|(_, value)| *value)
    }

    /// Returns the text of a member that is a string.
    fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).filter(|value| value.starts_with('"')).and_then(|text| json::lossy_text(text).ok())
    }

    /// Returns the table that the object names, by itself or in a statement; else the table
    /// `around` it.
    fn table<'t>(&self, around: &'t str) -> Cow<'t, str> {
        if let Some(name) = self.text("TableName") {
            return known(name);
        }
        match self.text("Statement") {
            Some(statement) => known(redacted::table(&statement).unwrap_or_default().into()),
            None => Cow::Borrowed(around),
        }
    }
}

/// Returns the name by which partitions of a table are counted.
fn known<'t>(name: Cow<'_, str>) -> Cow<'t, str> {
    let name = table_of(name);
    if (1..=NAME_MAX).contains(&name.len()) { Cow::Owned(name.into_owned()) } else { Cow::Borrowed(UNKNOWN) }
}

/// Returns the tables of a request's parts, in their order.
fn parts(request: &Members<'_>) -> Result<Vec<Cow<'static, str>>, Malformed> {
    let Some(list) = ASKED.iter().find_map(|name| request.get(name)).filter(|list| list.starts_with('['))
    else {
        return Ok(Vec::new());
    };
    let mut tables = Vec::new();
    json::elements(list, |part| {
        let mut table = Cow::Borrowed(UNKNOWN);
        if part.starts_with('{') {
            let members = Members::of(part)?;
            // A transaction's part has its verb around it: `{"Put": {"TableName": ...}}`.
            if let Some((_, inner)) = members.0.iter().find(|(_, value)| value.starts_with('{')) {
                table = Members::of(inner)?.table(UNKNOWN);
            }
            table = Cow::Owned(members.table(&table).into_owned());
        }
        tables.push(table);
        Ok::<(), Malformed>(())
    })?;
    Ok(tables)
}

/// Writes a request's body without its values.
///
/// # Errors
/// [`Malformed`] if it is no JSON object, or nested too deep for one of DynamoDB's; then a part of
/// it may have been written.
pub(crate) fn redact_request(body: &str, stand_in: &StandIn<'_>, to: &mut Vec<u8>) -> Result<(), Malformed> {
    Body { stand_in, parts: Vec::new(), keeps_messages: false, to }.whole(body, UNKNOWN)
}

/// Writes a response's body without its values. The tables that the response does not tell are
/// those of the request.
///
/// # Errors
/// As [`redact_request`].
pub(crate) fn redact_response(
    body: &str,
    request: &str,
    stand_in: &StandIn<'_>,
    to: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let request = Members::of(request).unwrap_or(Members(Vec::new()));
    let kind = json::members(body, ["__type"])?[0].unwrap_or_default();
    // Such a message lists codes, which may be all that tells of the reasons.
    let keeps_messages = kind.contains("TransactionCanceledException");
    let parts = parts(&request).unwrap_or_default();
    Body { stand_in, parts, keeps_messages, to }.whole(body, &request.table(UNKNOWN))
}

/// A body that is being written.
struct Body<'b> {
    stand_in: &'b StandIn<'b>,
    /// The tables of the request's parts, where this is a response.
    parts: Vec<Cow<'static, str>>,
    keeps_messages: bool,
    to: &'b mut Vec<u8>,
}

impl Body<'_> {
    /// Writes the outermost object, some of whose members have a meaning that inner ones have not.
    fn whole(&mut self, body: &str, around: &str) -> Result<(), Malformed> {
        let members = Members::of(body)?;
        let table = members.table(around);
        self.members(&members, |body, name, value| {
            if BY_TABLE.contains(&name) && value.starts_with('{') {
                let by_table = Members::of(value)?;
                return body
                    .members(&by_table, |body, of, value| body.value(value, &known(Cow::Borrowed(of)), 0));
            }
            if ANSWERED.contains(&name) && value.starts_with('[') && !body.parts.is_empty() {
                // Taken out while `body` is borrowed to write them.
                let parts = std::mem::take(&mut body.parts);
                let mut of = parts.iter();
                let written = body
                    .list(value, |body, part| body.value(part, of.next().map_or(&*table, |table| table), 0));
                body.parts = parts;
                return written;
            }
            if body.keeps_messages && MESSAGES.contains(&name) && value.starts_with('"') {
                body.to.extend_from_slice(value.as_bytes());
                return Ok(());
            }
            body.member(name, value, &table, 0)
        })
    }

    /// Writes an object, and each member's value by `write`.
    fn members(
        &mut self,
        members: &Members<'_>,
        mut write: impl FnMut(&mut Self, &str, &str) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.to.push(b'{');
        for (i, (name, value)) in members.0.iter().enumerate() {
            if i > 0 {
                self.to.push(b',');
            }
            json::write_string(self.to, name.as_bytes())?;
            self.to.push(b':');
            write(self, name, value)?;
        }
        self.to.push(b'}');
        Ok(())
    }

    /// Writes an array, and each element by `write`.
    fn list(
        &mut self,
        array: &str,
        mut write: impl FnMut(&mut Self, &str) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.to.push(b'[');
        let mut is_first = true;
        json::elements(array, |element| {
            if !std::mem::take(&mut is_first) {
                self.to.push(b',');
            }
            write(self, element)
        })?;
        self.to.push(b']');
        Ok(())
    }

    /// Writes a list or an object without values, or anything else as it is.
    fn value(&mut self, value: &str, table: &str, depth: u32) -> Result<(), Malformed> {
        if depth > DEPTH_MAX {
            return Err(Malformed);
        }
        match value.as_bytes().first() {
            Some(b'[') => self.list(value, |body, element| body.value(element, table, depth + 1)),
            Some(b'{') => self.object(value, table, depth),
            _ => {
                self.to.extend_from_slice(value.as_bytes());
                Ok(())
            }
        }
    }

    /// Writes an object. With one member that is a type, it is an attribute's value: its name is
    /// written, as a text. Any other is written member by member.
    fn object(&mut self, object: &str, table: &str, depth: u32) -> Result<(), Malformed> {
        let members = Members::of(object)?;
        if let [(tag, content)] = &members.0[..] {
            if SCALARS.contains(&&**tag) && content.starts_with('"') {
                self.to.extend_from_slice(b"{\"S\":");
                self.scalar(tag, content, table)?;
                self.to.push(b'}');
                return Ok(());
            }
            if SETS.contains(&&**tag) && content.starts_with('[') && are_texts(content)? {
                self.to.extend_from_slice(b"{\"SS\":");
                self.list(content, |body, text| body.scalar(&tag[..1], text, table))?;
                self.to.push(b'}');
                return Ok(());
            }
        }
        let table = members.table(table);
        self.members(&members, |body, name, value| body.member(name, value, &table, depth + 1))
    }

    /// Writes a member's value.
    fn member(&mut self, name: &str, value: &str, table: &str, depth: u32) -> Result<(), Malformed> {
        let first = value.as_bytes().first();
        // Its name is a type, but the object around it is no value that DynamoDB takes. It goes all
        // the same.
        let is_odd = (SCALARS.contains(&name) || SETS.contains(&name)) && value != "null";
        let written: Cow<'_, str> = match (name, first) {
            (_, Some(b'{')) => return self.value(value, table, depth),
            _ if is_odd => "\"*\"".into(),
            (_, Some(b'[')) => return self.value(value, table, depth),
            ("Statement", Some(b'"')) => return self.statement(&json::lossy_text(value)?, table),
            ("NextToken", Some(b'"')) => "\"*\"".into(),
            (name, Some(b'"')) if MESSAGES.contains(&name) => "\"\"".into(),
            _ => value.into(),
        };
        self.to.extend_from_slice(written.as_bytes());
        Ok(())
    }

    /// Writes a statement with names in place of its literals.
    fn statement(&mut self, statement: &str, table: &str) -> Result<(), Malformed> {
        let redacted = redacted::redact(statement, |literal| match literal {
            Literal::Text(text) => self.named(text.as_bytes(), table),
            Literal::Number(text) => self.named(number_key(text).as_bytes(), table),
        });
        json::write_string(self.to, redacted.as_bytes())
    }

    /// Writes the name that stands for a value of the type `tag`, which is one of the scalars'.
    fn scalar(&mut self, tag: &str, text: &str, table: &str) -> Result<(), Malformed> {
        let text = json::bytes(text)?;
        let key = match (tag, std::str::from_utf8(&text)) {
            ("N", Ok(number)) => Cow::Owned(number_key(number).into_owned().into_bytes()),
            ("B", Ok(base64)) => binary(base64).map_or(Cow::Borrowed(&*text), Cow::Owned),
            _ => Cow::Borrowed(&*text),
        };
        let name = self.named(&key, table);
        json::write_string(self.to, name.as_bytes())
    }

    /// Returns the name that stands for a key. An empty one stays empty; for one that is too long
    /// there are as many asterisks.
    fn named(&self, key: &[u8], table: &str) -> String {
        match key.len() {
            0 => String::new(),
            1..=KEY_MAX => (self.stand_in)(table, key),
            len => "*".repeat(len),
        }
    }
}

/// Returns a number as a key has it; one that can't be read as it is.
fn number_key(text: &str) -> Cow<'_, str> {
    number::canonical(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Returns whether all elements of an array are strings.
fn are_texts(array: &str) -> Result<bool, Malformed> {
    Ok(json::array(array)?.iter().all(|element| element.starts_with('"')))
}
