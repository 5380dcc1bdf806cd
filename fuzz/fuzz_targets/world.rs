//! All that a program has of the library at some time, and one more call of it.

use crate::argument::{Room, Text, code, text, text_z};
use crate::counting;
use crate::input::Input;
use hotpart::ffi::*;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};

/// Some of each kind of object; NULL where there is none.
pub struct World {
    detectors: [*mut hpd_detector; 2],
    /// The user data of each one's callback: the detector.
    itself: Box<[*mut hpd_detector; 2]>,
    /// Each two are of one detector.
    tables: [*mut hpd_table; 4],
    hottest: *mut hpd_hottest,
    text: *mut hpd_text,
    warnings: *mut hpd_warnings,
}

impl Default for World {
    fn default() -> Self {
        Self {
            detectors: [null_mut(); 2],
            itself: Box::new([null_mut(); 2]),
            tables: [null_mut(); 4],
            hottest: null_mut(),
            text: null_mut(),
            warnings: null_mut(),
        }
    }
}

/// Reads a text of the library's to its end.
unsafe fn touch(text: *const c_char, len: usize) {
    assert!(!text.is_null());
    // SAFETY: the library says that it is that long.
    std::hint::black_box(
        unsafe { std::slice::from_raw_parts(text.cast::<u8>(), len) }.iter().fold(0, |a, b| a ^ b),
    );
}

/// A callback that calls back, whatever comes of it.
unsafe extern "C" fn on_warning(itself: *mut c_void, warning: *const hpd_warning) {
    // SAFETY: the header promises the warning; the user data outlives the detector, which may do
    // all this now.
    unsafe {
        let (warning, detector) = (&*warning, *itself.cast::<*mut hpd_detector>());
        touch(warning.table, warning.table_len);
        touch(warning.pk, warning.pk_len);
        fine(hpd_record_read(detector, warning.table, warning.table_len, warning.pk, warning.pk_len));
        fine(hpd_get_write_count(detector, warning.table, warning.table_len, warning.pk, warning.pk_len));
        let mut text = null_mut();
        fine(hpd_log_line(detector, warning, &mut text).into());
        hpd_text_free(text);
        match warning.count % 8 {
            0 => fine(hpd_clear(detector).into()),
            1 => fine(
                hpd_set_table_thresholds(detector, warning.table, warning.table_len, 7, HPD_INHERIT).into(),
            ),
            2 => fine(hpd_set_time_ms(detector, warning.count * 100).into()),
            _ => {}
        }
    }
}

/// A status that a function may return: not one of a caught panic, nor of memory that ran out. A
/// refusal names its argument.
pub fn fine(result: i64) {
    assert!(matches!(result, 0..|-3..=-1| -7..=-6), "{result}");
    if result < 0 {
        // SAFETY: the texts are static and end in NUL.
        let [argument, range] =
            [hpd_error_argument(), hpd_error_range()].map(|text| unsafe { CStr::from_ptr(text) });
        let is_named = (-3..=-1).contains(&result);
        assert!(argument.is_empty() != is_named && range.is_empty() != is_named, "{argument:?} {range:?}");
    }
}

/// As a number, for flags and what else is mostly none.
fn rarely(input: &mut Input<'_>) -> u64 {
    if input.byte() < 192 { 0 } else { input.number() }
}

impl World {
    fn options(&mut self, input: &mut Input<'_>, which: usize) -> Room {
        // SAFETY: zeros are a valid value; the size is the struct's.
        let mut options: hpd_options = unsafe { std::mem::zeroed() };
        let size = size_of::<hpd_options>();
        // SAFETY: as above.
        unsafe {
            hpd_options_init(&mut options, size);
            if input.flag() {
                fine(
                    hpd_options_for_dynamodb(
                        &mut options,
                        size,
                        input.number() as u32,
                        input.number() as u32,
                    )
                    .into(),
                );
            }
        }
        if options.window_seconds == 0 || input.flag() {
            options.window_seconds = input.number() as u32;
            [options.writes_threshold, options.reads_threshold] = [input.number(), input.number()];
        }
        if input.flag() {
            options.warning_interval_seconds = input.number() as u32;
        }
        options.callback = input.flag().then_some(on_warning);
        options.user_data = (&raw mut self.itself[which]).cast();
        options.max_partitions = rarely(input);
        options.filter_bytes = input.one(&[0, 0, 0, 1 << 16, 1 << 17, 1 << 16 | 1]);
        options.promote_permille = input.one(&[0, 0, 10, 250, 500, 501]);
        options.clock = code(input, 2);
        options.flags = (u32::from(input.byte()) % 16) | rarely(input) as u32;
        options.hash_seed = [input.number(), 1];
        [options.writes_per_second, options.reads_per_second] = [rarely(input), rarely(input)];
        [options.writes_sustained, options.reads_sustained] = [rarely(input), rarely(input)];
        options.processes = rarely(input) as u32;
        options.reserved = u32::from(input.byte() == 255);
        Room::telling(input, options)
    }

    /// Closes what is of a detector, and frees it.
    fn free(&mut self, which: usize) {
        for table in &mut self.tables[2 * which..][..2] {
            // SAFETY: it is open or NULL, and not used again.
            unsafe { hpd_table_close(std::mem::replace(table, null_mut())) };
        }
        // SAFETY: it is NULL or lives; nothing is open of it, and it is not used again.
        unsafe { hpd_free(std::mem::replace(&mut self.detectors[which], null_mut())) };
    }

    fn make(&mut self, input: &mut Input<'_>, which: usize) {
        self.free(which);
        let mut made = null_mut();
        let status = if input.flag() {
            let (writes, reads) = (input.number(), input.number());
            let itself = (&raw mut self.itself[which]).cast();
            // SAFETY: what is pointed to outlives the detector.
            unsafe { hpd_new(writes, reads, input.number() as u32, Some(on_warning), itself, &mut made) }
        } else {
            let options = self.options(input, which);
            // SAFETY: the room is as long as it says.
            unsafe { hpd_new_with_options(options.at.cast(), &mut made) }
        };
        fine(status.into());
        assert_eq!(status == HPD_OK, !made.is_null(), "on failure it is untouched");
        (self.detectors[which], self.itself[which]) = (made, made);
    }

    pub fn call(&mut self, input: &mut Input<'_>, call: usize) {
        let which = input.below(2);
        let (at, detector) = (2 * which + input.below(2), self.detectors[which]);
        // SAFETY: detector and table live or are NULL; rooms and texts are as long as they say, and
        // live through the call.
        unsafe {
            match call {
                0..3 => self.make(input, which),
                3 if input.flag() => self.free(which),
                4..12 => fine(counting::record(input, detector, call)),
                12..16 => fine(counting::prepared(input, self.tables[at], call)),
                16 | 17 => {
                    let table = text(input);
                    hpd_table_close(std::mem::replace(&mut self.tables[at], null_mut()));
                    fine(hpd_table_open(detector, table.at(), table.len, &mut self.tables[at]).into());
                }
                18 => hpd_table_close(std::mem::replace(&mut self.tables[at], null_mut())),
                19..22 => fine(counting::count(input, detector, call)),
                22..25 => fine(counting::thresholds(input, detector).into()),
                25 if input.below(4) == 0 => fine(hpd_clear(detector).into()),
                26..29 => fine(hpd_set_time_ms(detector, input.number()).into()),
                29..33 => self.observe(input, detector, call),
                33..35 => counting::schema(input, detector),
                35..39 => self.snapshot(input, detector),
                39..41 => self.metrics(input, detector),
                41..44 => self.warned(input, detector),
                44 => {
                    let (table, pk, room) = (text(input), text(input), Room::new(32));
                    fine(hpd_redact(detector, table.at(), table.len, pk.at(), pk.len, room.at.cast()).into());
                }
                45 => {
                    let size = input.below(256);
                    let room = Room::new(size);
                    hpd_options_init(room.at.cast(), size);
                    fine(hpd_options_for_dynamodb(room.at.cast(), size, 800, input.number() as u32).into());
                }
                46 => self.forms(input),
                _ => {
                    let message = CStr::from_ptr(hpd_status_message(input.number() as i32));
                    assert!(!message.is_empty() && CStr::from_ptr(hpd_version()).count_bytes() > 4);
                    assert_eq!(hpd_abi_version(), 1);
                }
            }
        }
    }

    unsafe fn observe(&mut self, input: &mut Input<'_>, detector: *mut hpd_detector, call: usize) {
        let [operation, request, response] = [(); 3].map(|()| text(input));
        let http_status = input.one(&[200, 200, 200, 400, 400, 500, 0, 99, 1_000, -1]);
        let model = if input.flag() { text(input) } else { Text::null(0) };
        let out = Room::new(input.below(16));
        let exchange = hpd_exchange {
            struct_size: 0,
            operation: operation.at(),
            operation_len: operation.len,
            request: request.at(),
            request_len: request.len,
            response: response.at(),
            response_len: response.len,
            model: model.at(),
            model_len: model.len,
            http_status,
            reserved: u32::from(input.byte() == 255),
            table: if input.flag() { out.at.cast() } else { null_mut() },
            table_capacity: out.len(),
            table_len: 0,
        };
        let exchange = Room::telling(input, exchange);
        // SAFETY: as for `call`.
        unsafe {
            match call {
                29 | 30 => fine(hpd_observe(detector, exchange.at.cast())),
                31 => {
                    let mut warnings = null_mut();
                    fine(hpd_observe_full(detector, exchange.at.cast(), &mut warnings));
                    self.keep(warnings);
                }
                _ => {
                    let [operation, request, response, model] = [(); 4].map(|()| text_z(input));
                    let texts = [operation.at(), request.at(), response.at(), model.at()];
                    fine(hpd_observe_due(detector, texts[0], texts[1], texts[2], http_status, texts[3]));
                }
            }
        }
    }

    /// DynamoDB's own forms: what is written is a key that is its own, and a request that asks.
    unsafe fn forms(&mut self, input: &mut Input<'_>) {
        let (number, room) = (text(input), Room::new(HPD_NUMBER_KEY_MAX));
        let (operation, request) = (text(input), text(input));
        let mut asking = null_mut();
        // SAFETY: as for `call`; a key is as long as is said.
        unsafe {
            let len = hpd_number_key(number.at(), number.len, room.at.cast());
            fine(len.into());
            if len >= 0 {
                assert_eq!(hpd_number_key(room.at.cast(), len as usize, room.at.cast()), len);
            }
            let asks =
                hpd_ask_capacity(operation.at(), operation.len, request.at(), request.len, &mut asking);
            fine(asks.into());
            assert_eq!(asks == 1, !asking.is_null());
        }
        self.read(asking);
    }

    unsafe fn snapshot(&mut self, input: &mut Input<'_>, detector: *mut hpd_detector) {
        // SAFETY: as for `call`; the snapshot is NULL or lives until it is replaced.
        unsafe {
            let mut taken = null_mut();
            fine(hpd_hottest_take(detector, code(input, 2), input.number() as usize, &mut taken).into());
            if !taken.is_null() {
                hpd_hottest_free(std::mem::replace(&mut self.hottest, taken));
            }
            let len = hpd_hottest_len(self.hottest);
            fine(len);
            for i in (0..len.max(0) as usize).chain([usize::MAX, input.number() as usize]) {
                let room = Room::telling(input, std::mem::zeroed::<hpd_hot_partition>());
                let got = hpd_hottest_get(self.hottest, i, room.at.cast());
                fine(got.into());
                if got == HPD_OK {
                    let hot: &hpd_hot_partition = &*room.at.cast();
                    touch(hot.table, hot.table_len);
                    touch(hot.pk, hot.pk_len);
                }
            }
            let room = Room::telling(input, std::mem::zeroed::<hpd_statistics>());
            fine(hpd_get_statistics(detector, room.at.cast()).into());
        }
    }

    unsafe fn metrics(&mut self, input: &mut Input<'_>, detector: *mut hpd_detector) {
        let options = hpd_metrics_options {
            struct_size: 0,
            hottest: input.number(),
            flags: input.below(4) as u32 | rarely(input) as u32,
            reserved: u32::from(input.byte() == 255),
            least: if input.flag() { 0 } else { input.number() },
        };
        let options = Room::telling(input, options);
        let mut text = null_mut();
        // SAFETY: as for `call`.
        let status = unsafe {
            hpd_metrics_take(detector, if input.flag() { options.at.cast() } else { null() }, &mut text)
        };
        fine(status.into());
        self.read(text);
    }

    /// Keeps a text in place of the last, and reads it.
    fn read(&mut self, text: *mut hpd_text) {
        // SAFETY: the texts are NULL or live.
        unsafe {
            hpd_text_free(std::mem::replace(&mut self.text, text));
            let bytes = std::slice::from_raw_parts(hpd_text_data(text).cast::<u8>(), hpd_text_len(text));
            assert!(std::str::from_utf8(bytes).is_ok());
        }
    }

    fn keep(&mut self, warnings: *mut hpd_warnings) {
        // SAFETY: they are NULL or live, and not used again.
        unsafe { hpd_warnings_free(std::mem::replace(&mut self.warnings, warnings)) };
    }

    unsafe fn warned(&mut self, input: &mut Input<'_>, detector: *mut hpd_detector) {
        // SAFETY: as for `call`; warnings are NULL or live until they are replaced.
        unsafe {
            let mut taken = null_mut();
            fine(hpd_take_warnings(detector, &mut taken).into());
            if !taken.is_null() {
                self.keep(taken);
            }
            for i in (0..hpd_warnings_len(self.warnings)).chain([usize::MAX]) {
                let room = Room::telling(input, std::mem::zeroed::<hpd_warning>());
                let got = hpd_warnings_get(self.warnings, i, room.at.cast());
                fine(got.into());
                if got == HPD_OK {
                    let warning: &hpd_warning = &*room.at.cast();
                    touch(warning.table, warning.table_len);
                    touch(warning.pk, warning.pk_len);
                    self.line(detector, room);
                }
            }
            let (table, pk) = (text(input), text(input));
            let made_up = hpd_warning {
                struct_size: 0,
                table: table.at(),
                table_len: table.len,
                pk: pk.at(),
                pk_len: pk.len,
                operation: code(input, 2),
                window_seconds: input.number() as u32,
                count: input.number(),
                threshold: input.number(),
                suppressed: input.number(),
                peak: input.number(),
                rule: code(input, 4),
                utilisation_permille: input.number() as u32,
                carried: input.number(),
            };
            self.line(detector, Room::telling(input, made_up));
        }
    }

    unsafe fn line(&mut self, detector: *mut hpd_detector, warning: Room) {
        let mut text = null_mut();
        // SAFETY: as for `call`.
        fine(unsafe { hpd_log_line(detector, warning.at.cast(), &mut text) }.into());
        self.read(text);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.read(null_mut());
        self.keep(null_mut());
        // SAFETY: it is NULL or lives, and not used again.
        unsafe { hpd_hottest_free(self.hottest) };
        (0..2).for_each(|which| self.free(which));
    }
}
