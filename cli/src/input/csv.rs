//! Comma-separated values: `time_ms,operation,table,pk[,amount[,model]]`. A first line that names
//! the columns is optional.

mod again;
mod first_line;
pub mod lines;
mod open;
mod unit;

use crate::entry::Access;
use crate::input::account::grouped;
use crate::input::csv::first_line::{joined, unnamed};
use crate::input::csv::lines::{Lines, Record};
use crate::input::csv::unit::Unit;
use crate::input::format::Options;
use crate::input::parse::{Out, Parse, SOME};
use crate::input::source::Source;
use crate::readable::counted;
use anyhow::{Context, Result, bail};
use csv::{ByteRecord, ReaderBuilder};
use hotpart::Operation;
use std::collections::BTreeMap;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    TimeMs,
    Operation,
    Table,
    Pk,
    Amount,
    Model,
}

impl Field {
    /// All of them, in their order where no line names the columns.
    pub const ALL: [Self; 6] =
        [Self::TimeMs, Self::Operation, Self::Table, Self::Pk, Self::Amount, Self::Model];

    pub fn name(self) -> &'static str {
        match self {
            Self::TimeMs => "time_ms",
            Self::Operation => "operation",
            Self::Table => "table",
            Self::Pk => "pk",
            Self::Amount => "amount",
            Self::Model => "model",
        }
    }

    fn is_needed(self) -> bool {
        !matches!(self, Self::Amount | Self::Model)
    }
}

/// Reads CSV.
pub struct Csv {
    lines: Lines<Source>,
    /// The column of each field.
    columns: [Option<usize>; Field::ALL.len()],
    /// Whether no line so far has anything on it.
    is_blank: bool,
    /// `None` as long as no time has been read.
    unit: Option<Unit>,
}

impl Csv {
    pub fn new(source: Source, options: &Options) -> Result<Self> {
        let mut lines = Lines::new(source);
        let first = lines.next_record()?.map(|record| record.iter().collect::<ByteRecord>());
        let (has_line, first) = (first.is_some(), first.unwrap_or_default());
        let is_header = Self::is_header(&first, &options.columns);
        if has_line && !is_header && !options.keep_going {
            Self::check_is_record(&first, &options.columns)?;
        }
        let columns =
            if has_line { Self::header(&first, &options.columns)? } else { [None; Field::ALL.len()] };
        if has_line && !is_header {
            lines.unread();
        }
        Ok(Self { lines, columns, is_blank: !has_line, unit: None })
    }

    /// Returns whether a first line is not a record. It names the columns; or it has no operation
    /// and, where the options give the column of a time by number, no time.
    fn is_header(first: &ByteRecord, mapped: &BTreeMap<Field, String>) -> bool {
        let time = mapped.get(&Field::TimeMs).and_then(|name| first.get(position(name)?));
        let has_operation = || first.iter().any(|name| operation(name).is_some());
        Self::is_named(first, mapped) || (time.is_some_and(|time| number(time).is_none()) && !has_operation())
    }

    /// Returns whether a column is called `time_ms`, or as the options say.
    fn is_named(first: &ByteRecord, mapped: &BTreeMap<Field, String>) -> bool {
        let has = |name: &str| first.iter().any(|header| header.eq_ignore_ascii_case(name.as_bytes()));
        has("time_ms") || mapped.values().any(|name| position(name).is_none() && has(name))
    }

    /// Finds each field's column by the names in a first line, or by its number.
    fn header(
        first: &ByteRecord,
        mapped: &BTreeMap<Field, String>,
    ) -> Result<[Option<usize>; Field::ALL.len()]> {
        let find = |name: &str| first.iter().position(|header| header.eq_ignore_ascii_case(name.as_bytes()));
        let is_header = Self::is_header(first, mapped);
        Self::check_names(first, mapped, is_header)?;
        let mut columns = [None; Field::ALL.len()];
        for (i, field) in Field::ALL.into_iter().enumerate() {
            columns[i] = match mapped.get(&field) {
                Some(name) => {
                    let column = position(name).or_else(|| find(name));
                    Some(column.with_context(|| unnamed(name, first))?)
                }
                None if is_header => find(field.name()),
                None => Some(i),
            };
            if columns[i].is_none() && field.is_needed() {
                let name = field.name();
                bail!(
                    "the first line has no column named {name}. Say which one it is: --column {name}=HEADER"
                );
            }
        }
        Ok(columns)
    }

    /// Refuses a first line that must name the columns, as no number and no operation is in it, and
    /// does not name them as they are known.
    fn check_is_record(first: &ByteRecord, mapped: &BTreeMap<Field, String>) -> Result<()> {
        let is_data = |text: &[u8]| text.is_empty() || number(text).is_some() || operation(text).is_some();
        if first.len() < 2 || first.iter().any(is_data) {
            return Ok(());
        }
        let is_known =
            |field: &Field| first.iter().any(|header| header.eq_ignore_ascii_case(field.name().as_bytes()));
        if let Some(name) = mapped.values().find(|name| position(name).is_none()) {
            bail!(unnamed(name, first));
        }
        let line = joined(first);
        if Field::ALL.iter().any(is_known) {
            bail!(
                "the first line, \"{line}\", has no column named time_ms. Say which one it is, as in --column time_ms=ts"
            );
        }
        bail!(
            "the first line, \"{line}\", has none of the column names time_ms, operation, table and pk. Say which column is which, as in \
             --column time_ms=ts --column operation=op --column table=table --column pk=user"
        )
    }

    /// Refuses a first line in which several columns have one name that is looked for.
    fn check_names(first: &ByteRecord, mapped: &BTreeMap<Field, String>, is_header: bool) -> Result<()> {
        let wanted = |field: &Field| match mapped.get(field) {
            Some(name) => position(name).is_none().then_some(&**name),
            None => is_header.then_some(field.name()),
        };
        let is_twice = |name: &&str| {
            first.iter().filter(|header| header.eq_ignore_ascii_case(name.as_bytes())).nth(1).is_some()
        };
        let mut twice: Vec<_> = Field::ALL.iter().filter_map(wanted).filter(is_twice).collect();
        twice.dedup();
        if let [first, ..] = twice[..] {
            let field =
                Field::ALL.iter().find(|field| wanted(field) == Some(first)).map_or("", |of| of.name());
            let names = twice.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
            bail!(
                "the first line has several columns named {names}; --column {field}=NUMBER says which it is"
            );
        }
        Ok(())
    }
}

impl Parse for Csv {
    fn read(&mut self, out: &mut Out<'_>) -> Result<bool> {
        if self.is_blank && self.lines.has_begun() {
            self.is_blank = false;
            out.bad(1, "there are empty lines, and nothing else")?;
        }
        for _ in 0..SOME {
            let Some(record) = self.lines.next_record()? else { return Ok(false) };
            take(&record, &self.columns, &mut self.unit, out)?;
        }
        Ok(true)
    }
}

fn take(
    record: &Record<'_>,
    columns: &[Option<usize>; Field::ALL.len()],
    unit: &mut Option<Unit>,
    out: &mut Out<'_>,
) -> Result<()> {
    if let Some(bad) = record.bad {
        return out.bad(record.line, bad);
    }
    match access(record, columns) {
        Ok(access) => {
            let unit = *unit.get_or_insert_with(|| Unit::told(access.time_ms, out));
            out.access(record.line, Access { time_ms: unit.in_ms(access.time_ms), ..access })
        }
        Err(error) => out.bad(record.line, error),
    }
}

/// Returns the column that a number from 1 stands for.
fn position(number: &str) -> Option<usize> {
    number.parse::<usize>().ok()?.checked_sub(1)
}

/// Returns whether a text begins with a line of CSV: one that names the columns, or that has a time
/// where a time should be.
pub fn is(head: &[u8], options: &Options) -> bool {
    let mut first = ByteRecord::new();
    let read =
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(head).read_byte_record(&mut first);
    if !read.unwrap_or_default() {
        return false;
    }
    let columns = Csv::header(&first, &options.columns).ok();
    let time = columns.and_then(|columns| first.get(columns[Field::TimeMs as usize]?));
    Csv::is_named(&first, &options.columns) || (first.len() >= 4 && time.and_then(number).is_some())
}

/// Reads one record.
fn access<'a>(record: &Record<'a>, columns: &[Option<usize>; Field::ALL.len()]) -> Result<Access<'a>> {
    let field = |field: Field| {
        let text = columns[field as usize].and_then(|column| record.get(column));
        text.with_context(|| {
            let n = counted(record.iter().count() as u64, "field");
            let number = columns[field as usize].map_or(0, |column| column + 1);
            format!("the line has only {n}; {}, in column {number}, is missing", field.name())
        })
    };
    let optional = |field: Field| {
        let text = columns[field as usize].and_then(|column| record.get(column));
        text.filter(|text| !text.is_empty())
    };
    if record.has_nul() {
        bail!("there is a NUL in it, which no text has");
    }
    let time = field(Field::TimeMs)?;
    let time_ms =
        number(time).with_context(|| format!("time_ms is not a number of milliseconds: {}", shown(time)))?;
    let name = field(Field::Operation)?;
    let operation = operation(name).with_context(|| {
        format!(
            "operation is neither write nor read, nor an operation of DynamoDB such as DeleteItem: {}",
            shown(name)
        )
    })?;
    let (table, pk) = (field(Field::Table)?, field(Field::Pk)?);
    if table.is_empty() {
        bail!("table is empty");
    }
    if table.len() > 1_024 {
        bail!("table has {} bytes, more than 1,024", grouped(table.len() as u64));
    }
    if pk.len() > 16_384 {
        bail!("pk has {} bytes, more than 16,384", grouped(pk.len() as u64));
    }
    let access = Access::new(time_ms, operation, table, pk);
    let model = optional(Field::Model);
    if model.is_some_and(|model| model.len() > 1_024) {
        bail!("model has more than 1,024 bytes");
    }
    let Some(amount) = optional(Field::Amount) else { return Ok(Access { model, ..access }) };
    let half_units = halves(amount).filter(|&n| n > 0);
    let half_units = half_units
        .with_context(|| format!("amount must be a multiple of 0.5, from 0.5 up: {}", shown(amount)))?;
    Ok(Access { model, operations: half_units.div_ceil(2), half_units: Some(half_units), ..access })
}

/// Reads a number of halves: `3`, `0.5` or `3.0`, as capacity has them.
fn halves(text: &[u8]) -> Option<u64> {
    let Some(point) = memchr::memchr(b'.', text) else { return number(text)?.checked_mul(2) };
    let (whole, fraction) = (number(&text[..point])?.checked_mul(2)?, &text[point + 1..]);
    let (first, rest) = fraction.split_first()?;
    let half = match first {
        b'0' => 0,
        b'5' => 1,
        _ => return None,
    };
    if rest.iter().all(|&digit| digit == b'0') { whole.checked_add(half) } else { None }
}

/// Reads a number of digits alone.
fn number(text: &[u8]) -> Option<u64> {
    // No number of 19 digits is too large.
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    let (eights, rest) = text.as_chunks::<8>();
    let mut n = 0;
    for eight in eights {
        n = n * 100_000_000 + eight_digits(u64::from_le_bytes(*eight))?;
    }
    for &digit in rest {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        n = n * 10 + u64::from(digit);
    }
    Some(n)
}

/// Reads eight digits at once, of which the first is the lowest byte.
fn eight_digits(text: u64) -> Option<u64> {
    const ALL: u64 = u64::MAX / 255;
    let digits = text ^ (ALL * 0x30);
    // A byte over 9 has a bit in its upper half, or gets one when 6 is added.
    if (digits | digits.wrapping_add(ALL * 6)) & (ALL * 0xf0) != 0 {
        return None;
    }
    // Neighbours are put together: to numbers of two digits, of four, of eight.
    let twos = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos * 100 + (twos >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) & 0xffff_ffff)
}

/// Returns the operation that a name stands for: `write`, `read`, or DynamoDB's own.
pub fn operation(name: &[u8]) -> Option<Operation> {
    const WRITES: [&[u8]; 8] = [
        b"write",
        b"w",
        b"PutItem",
        b"UpdateItem",
        b"DeleteItem",
        b"BatchWriteItem",
        b"TransactWriteItems",
        b"writes",
    ];
    const READS: [&[u8]; 7] =
        [b"read", b"r", b"GetItem", b"Query", b"BatchGetItem", b"TransactGetItems", b"reads"];
    // Most are spelt so.
    match name {
        b"write" => return Some(Operation::Write),
        b"read" => return Some(Operation::Read),
        _ => {}
    }
    if WRITES.iter().any(|write| name.eq_ignore_ascii_case(write)) {
        return Some(Operation::Write);
    }
    READS.iter().any(|read| name.eq_ignore_ascii_case(read)).then_some(Operation::Read)
}

/// Returns a field as an error shows it.
fn shown(text: &[u8]) -> String {
    let short = &text[..text.len().min(40)];
    format!("{:?}", String::from_utf8_lossy(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_the_standard_library_reads_it() {
        let texts = [
            "",
            "0",
            "7",
            "12345678",
            "123456789",
            "1772445841000",
            "9999999999999999999",
            "00000000000000000018",
        ];
        let odd = [
            "-1",
            "+1",
            "1 ",
            "1234567:",
            "/2345678",
            "12345678x",
            "1\u{e9}345678",
            "12345678/",
            "\u{7f}2345678",
        ];
        for text in texts.into_iter().chain(odd) {
            // A sign is none of ours, nor are more digits than are ever needed.
            let theirs = text.parse().ok().filter(|_| !text.starts_with('+') && text.len() < 20);
            assert_eq!(number(text.as_bytes()), theirs, "{text}");
        }
        for byte in 0..=u8::MAX {
            for at in 0..8 {
                let mut text = *b"12345678";
                text[at] = byte;
                let theirs = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
                assert_eq!(number(&text), theirs.filter(|_| byte != b'+'), "{text:?}");
            }
        }
    }
}
