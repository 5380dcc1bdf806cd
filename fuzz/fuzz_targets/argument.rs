//! Arguments of C functions, in memory that is exactly as long as they say, so that
//! AddressSanitizer sees who goes beyond.

use crate::input::Input;
use hotpart::ffi::*;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::c_char;
use std::ptr::null;

/// Zeroed memory of a size, aligned for every struct.
pub struct Room {
    pub at: *mut u8,
    layout: Layout,
}

impl Room {
    pub fn new(size: usize) -> Self {
        let layout = Layout::from_size_align(size.max(1), 8).unwrap();
        // SAFETY: the size is not zero.
        Self { at: unsafe { alloc_zeroed(layout) }, layout }
    }

    pub fn len(&self) -> usize {
        self.layout.size()
    }

    /// A struct, cut off or with something behind it.
    pub fn sized<T>(input: &mut Input<'_>, value: T) -> (Self, usize) {
        let whole = size_of::<T>();
        let size = match input.byte() {
            n @ 240.. => n as usize % 16 * 8,
            n @ 224..240 => whole + n as usize % 16,
            _ => whole,
        };
        // Every version has the size, which comes first.
        let room = Self::new(size.max(size_of::<usize>()));
        // SAFETY: no more is copied than either has.
        unsafe { room.at.copy_from_nonoverlapping((&raw const value).cast(), whole.min(size)) };
        if size > whole && input.flag() {
            // SAFETY: it is that long.
            unsafe { room.at.add(size - 1).write(1) };
        }
        (room, size)
    }

    /// A struct that begins with its size.
    pub fn telling<T>(input: &mut Input<'_>, value: T) -> Self {
        let (room, size) = Self::sized(input, value);
        // SAFETY: it has room for a size, at least.
        unsafe { room.at.cast::<usize>().write(size) };
        room
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: it was allocated with this layout.
        unsafe { dealloc(self.at, self.layout) }
    }
}

/// A text, or NULL, which goes with any length: that is refused, not undefined.
pub struct Text {
    room: Option<Room>,
    pub len: usize,
}

impl Text {
    pub fn new(text: &[u8]) -> Self {
        let room = Room::new(text.len());
        // SAFETY: there is room for it.
        unsafe { room.at.copy_from_nonoverlapping(text.as_ptr(), text.len()) };
        Self { room: Some(room), len: text.len() }
    }

    pub fn null(len: usize) -> Self {
        Self { room: None, len }
    }

    pub fn at(&self) -> *const c_char {
        self.room.as_ref().map_or(null(), |room| room.at.cast())
    }
}

const POOL: [&[u8]; 24] = [
    b"T",
    b"events",
    b"T/index/G",
    b"arn:aws:dynamodb:eu-west-1:123456789012:table/T",
    b"k",
    b"\xFF\xFE\0",
    b"\"\n\\\x1B[31m",
    b"p",
    b"PutItem",
    b"GetItem",
    b"Query",
    b"DynamoDB_20120810.UpdateItem",
    b"BatchWriteItem",
    b"DescribeTable",
    b"ExecuteStatement",
    br#"{"TableName":"T","Item":{"p":{"S":"k"}}}"#,
    br#"{"TableName":"T","Key":{"p":{"N":"1.50"}}}"#,
    br#"{"TableName":"T","KeyConditionExpression":"p = :v","ExpressionAttributeValues":{":v":{"B":"aGk="}}}"#,
    br#"{"RequestItems":{"T":[{"PutRequest":{"Item":{"p":{"S":"k"}}}}]}}"#,
    br#"{"Statement":"SELECT * FROM T WHERE p = 'k'"}"#,
    br#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":2.5}}"#,
    br#"{"Table":{"TableName":"T","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}]}}"#,
    br#"{"__type":"a#ThrottlingException","throttlingReasons":[{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"arn:aws:dynamodb:r:1:table/T"}]}"#,
    b"{}",
];

pub fn text(input: &mut Input<'_>) -> Text {
    match input.byte() {
        n @ 0..168 => Text::new(POOL[n as usize % POOL.len()]),
        168..224 => {
            let len = input.below(64);
            Text::new(input.bytes(len))
        }
        224..236 => Text::null(0),
        236..240 => Text::null(input.number() as usize),
        // Too long for a table, or for a key, or just not.
        240..248 => Text::new(&vec![b'n'; 1_020 + input.below(8)]),
        _ => Text::new(&vec![b'k'; 16_380 + input.below(8)]),
    }
}

/// A text that ends in NUL and holds none, or NULL.
pub fn text_z(input: &mut Input<'_>) -> Text {
    let text = text(input);
    let bytes = match text.at() {
        at if at.is_null() => return Text::null(0),
        // SAFETY: it is that long.
        at => unsafe { std::slice::from_raw_parts(at.cast::<u8>(), text.len) },
    };
    let mut z: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != 0).collect();
    z.push(0);
    Text::new(&z)
}

/// A number of an operation, a reason, a kind of tally: mostly one that there is.
pub fn code(input: &mut Input<'_>, known: usize) -> i32 {
    match input.byte() {
        n @ 0..240 => (n as usize % known) as i32,
        _ => input.number() as i32,
    }
}

/// A record, and its texts, which must outlive it.
pub fn record(input: &mut Input<'_>) -> (hpd_record, [Text; 3]) {
    let texts = [text(input), text(input), if input.flag() { text(input) } else { Text::null(0) }];
    let record = hpd_record {
        table: texts[0].at(),
        table_len: texts[0].len,
        pk: texts[1].at(),
        pk_len: texts[1].len,
        model: texts[2].at(),
        model_len: texts[2].len,
        amount: input.number(),
        operation: code(input, 2),
        reserved: u32::from(input.byte() == 255),
    };
    (record, texts)
}
