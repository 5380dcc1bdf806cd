//! Calls that need nothing but a detector or a table: records, counts, thresholds and key schemas.
#![allow(clippy::missing_safety_doc)] // For all of them: what they are given lives or is NULL.

use crate::argument::{Room, Text, code, record as any_record, text, text_z};
use crate::input::Input;
use crate::world::fine;
use hotpart::ffi::*;
use std::ptr::{null, null_mut};

pub unsafe fn record(input: &mut Input<'_>, detector: *mut hpd_detector, call: usize) -> i64 {
    let ((given, _texts), reason) = (any_record(input), code(input, 6));
    let hpd_record { table, table_len, pk, pk_len, operation, .. } = given;
    // SAFETY: as the caller promises.
    unsafe {
        match call {
            4 => hpd_record_write(detector, table, table_len, pk, pk_len),
            5 => hpd_record_read(detector, table, table_len, pk, pk_len),
            6 | 7 => {
                let (room, size) = Room::sized(input, given);
                let warning = Room::telling(input, std::mem::zeroed::<hpd_warning>());
                match input.below(3) {
                    0 => hpd_record_full(detector, room.at.cast(), size, null_mut()),
                    1 => hpd_record_full(detector, room.at.cast(), size, warning.at.cast()),
                    _ => hpd_record_due(detector, room.at.cast(), size),
                }
            }
            8 => hpd_record_throttle(detector, table, table_len, pk, pk_len, operation, reason),
            9 => {
                let room = Room::telling(input, std::mem::zeroed::<hpd_warning>());
                let out = if input.byte() == 255 { null_mut() } else { room.at.cast() };
                hpd_record_throttle_full(detector, table, table_len, pk, pk_len, operation, reason, out)
            }
            10 => hpd_record_throttle_due(detector, table, table_len, pk, pk_len, operation, reason),
            _ => {
                let (n, stride) = (input.below(5), size_of::<hpd_record>() + input.one(&[0, 0, 1, 8, 40]));
                let room = Room::new(n * stride);
                let all: Vec<_> = (0..n).map(|_| any_record(input)).collect();
                for (i, (record, _)) in all.iter().enumerate() {
                    room.at.add(i * stride).cast::<hpd_record>().write_unaligned(*record);
                }
                hpd_record_batch(detector, if n == 0 { null() } else { room.at.cast() }, stride, n)
            }
        }
    }
}

pub unsafe fn prepared(input: &mut Input<'_>, table: *mut hpd_table, call: usize) -> i64 {
    let (pk, z) = (text(input), text_z(input));
    // SAFETY: as the caller promises.
    unsafe {
        match (call, input.flag()) {
            (12, true) => hpd_table_record_write(table, pk.at(), pk.len),
            (12, false) => hpd_table_record_read(table, pk.at(), pk.len),
            (13, true) => hpd_table_record_write_z(table, z.at()),
            (13, false) => hpd_table_record_read_z(table, z.at()),
            (_, true) => hpd_table_record_write_due(table, z.at()),
            (_, false) => hpd_table_record_read_due(table, z.at()),
        }
    }
}

pub unsafe fn count(input: &mut Input<'_>, detector: *mut hpd_detector, call: usize) -> i64 {
    let (table, pk) = (text(input), text(input));
    let (operation, what) = (code(input, 2), code(input, 5));
    // SAFETY: as the caller promises.
    unsafe {
        match (call, input.flag()) {
            (19, true) => hpd_get_write_count(detector, table.at(), table.len, pk.at(), pk.len),
            (19, false) => hpd_get_read_count(detector, table.at(), table.len, pk.at(), pk.len),
            (20, true) => {
                let (mut least, mut most) = (7, 7);
                let at = (table.at(), table.len, pk.at(), pk.len);
                let out = if input.byte() == 255 { null_mut() } else { &raw mut most };
                let status = hpd_get_bounds(detector, at.0, at.1, at.2, at.3, operation, &mut least, out);
                assert!(status == HPD_OK || (least, most) == (7, 7), "neither is written");
                assert!(least <= most);
                status.into()
            }
            (20, false) => {
                hpd_get_throttle_count(detector, table.at(), table.len, pk.at(), pk.len, operation, what)
            }
            _ => hpd_get_unattributed_count(detector, table.at(), table.len, operation, what),
        }
    }
}

pub unsafe fn thresholds(input: &mut Input<'_>, detector: *mut hpd_detector) -> i32 {
    let name = text(input);
    let [mut writes, mut reads] = [(); 2].map(|()| input.number() as i64 - 1);
    // SAFETY: as the caller promises.
    unsafe {
        match input.below(6) {
            0 | 1 => hpd_set_table_thresholds(detector, name.at(), name.len, writes, reads),
            2 => hpd_set_model_thresholds(detector, name.at(), name.len, writes, reads),
            3 => hpd_get_table_thresholds(detector, name.at(), name.len, &mut writes, &mut reads),
            4 => hpd_get_model_thresholds(detector, name.at(), name.len, &mut writes, &mut reads),
            _ => hpd_get_thresholds(
                detector,
                &mut writes,
                if input.byte() == 255 { null_mut() } else { &mut reads },
            ),
        }
    }
}

pub unsafe fn schema(input: &mut Input<'_>, detector: *mut hpd_detector) {
    let (table, index) = (text(input), if input.flag() { text(input) } else { Text::null(0) });
    let n = input.below(6);
    let names: Vec<Text> = (0..n).map(|_| text(input)).collect();
    let pointers: Box<[_]> = names.iter().map(Text::at).collect();
    let lens: Box<[_]> = names.iter().map(|name| name.len).collect();
    let (pointers, lens) = (pointers.as_ptr(), if input.byte() == 255 { null() } else { lens.as_ptr() });
    let (table, index) = ((table.at(), table.len), (index.at(), index.len));
    let mut warnings = null_mut();
    // SAFETY: as the caller promises; the warnings are freed once.
    unsafe {
        match input.below(4) {
            0 => fine(hpd_forget_table(detector, table.0, table.1).into()),
            1 => {
                let out = &mut warnings;
                let (index, len) = index;
                fine(
                    hpd_set_key_schema_full(detector, table.0, table.1, index, len, pointers, lens, n, out)
                        .into(),
                );
                hpd_warnings_free(warnings);
            }
            _ => fine(
                hpd_set_key_schema(detector, table.0, table.1, index.0, index.1, pointers, lens, n).into(),
            ),
        }
    }
}
