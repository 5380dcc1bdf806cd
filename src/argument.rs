//! The arguments that a call can refuse, and the range of each.
//!
//! An error is one byte and still names its argument, so that every language can say which was
//! wrong. The table below is the one place of names and ranges, from which Rust's errors and C's
//! take their sentences. A test compares the ranges with the constants that the code checks by.

/// Makes [`Argument`] of its table, which has a line for each argument, with its name and its
/// range.
macro_rules! arguments {
    ($($variant:ident $name:literal $range:literal,)*) => {
        /// An argument that a call has refused. It displays as a sentence about it, such as
        /// "window_seconds must be 1 to 3600".
        ///
        /// An argument with more than one rule is here once for each rule. Some arguments are of
        /// the C ABI alone.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Argument {
            $(#[doc = concat!("`", $name, "` ", $range, ".")] $variant,)*
        }

        impl Argument {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns name and range, each with a NUL behind it, so that C can be given them too.
            const fn texts(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$variant => (concat!($name, "\0"), concat!($range, "\0")),)*
                }
            }
        }
    };
}

arguments! {
    Table "table" "must have 1 to 1024 bytes",
    Pk "pk" "must have at most 16384 bytes",
    Model "model" "must have 1 to 1024 bytes",
    Amount "amount" "must be positive",
    Writes "writes" "must be positive and less than 2^63",
    Reads "reads" "must be positive and less than 2^63",

    WritesThreshold "writes_threshold" "must be positive and less than 2^63",
    ReadsThreshold "reads_threshold" "must be positive and less than 2^63",
    WindowSeconds "window_seconds" "must be 1 to 3600",
    WindowSecondsSustained "window_seconds" "must be 5 to 3600 with sustained thresholds",
    WritesPerSecond "writes_per_second" "must be positive and less than 2^63",
    ReadsPerSecond "reads_per_second" "must be positive and less than 2^63",
    WritesSustained "writes_sustained" "must be positive and less than 2^63",
    ReadsSustained "reads_sustained" "must be positive and less than 2^63",
    Processes "processes" "must be at least 1",
    Share "share" "must be 0.001 to 1",
    FilterBytes "filter_bytes" "must be 65536 to 1099511627776, or 0",
    FilterOrBound "filter_bytes" "must be 0 with max_partitions",
    PromotePermille "promote_permille" "must be 10 to 500, or 0",
    ListedLeast "least" "must be more than the count from which partitions are counted exactly",
    Minute "minute" "must be over, and have begun within the window",
    NowMs "now_ms" "must be at most 4294967295999",

    KeyTable "table" "must have 1 to 1024 bytes of UTF-8",
    KeyIndex "index" "must have 1 to 1024 bytes of UTF-8",
    KeyAttribute "attributes" "must have 1 to 1024 bytes of UTF-8 each",
    KeyAttributes "attributes" "must be one for a table, and up to four for an index",

    Detector "detector" "must have a manual clock",
    DetectorOfMinutes "detector" "must have a window of at least 120 seconds, and no filter_bytes",
    Operation "operation" "must be a write or a read",
    Reason "reason" "must be a known reason",
    What "what" "must be a known kind",
    Rule "rule" "must be a known rule",
    Clock "clock" "must be HPD_CLOCK_MONOTONIC or HPD_CLOCK_MANUAL",
    SharePermille "share_permille" "must be 1 to 1000",
    Flags "flags" "must be none but those of this version",
    Reserved "reserved" "must be 0",
    StructSize "struct_size" "must be at least version 1's",
    NewerStruct "struct_size" "must be at most this version's, unless all beyond is zero",
    OlderOptions "struct_size" "must be at least that of the first version with DynamoDB's limits",
    RecordSize "record_size" "must be at least version 1's",
    NewerRecord "record_size" "must be at most this version's, unless all beyond is zero",
    N "n" "must be as many as memory can hold",
    I "i" "must be less than the length",
    Number "number" "must be a number of DynamoDB's: up to 38 digits, 1E-130 to 9.99E+125",
    HttpStatus "http_status" "must be 100 to 999, or 0",
    ApiOperation "operation" "must be no longer than memory can be",
    Request "request" "must be no longer than memory can be",
    Response "response" "must be no longer than memory can be",

    // Pointers, which only must not be NULL.
    Options "options" "must not be NULL",
    Record "record" "must not be NULL",
    Records "records" "must not be NULL",
    Warning "warning" "must not be NULL",
    Warnings "warnings" "must not be NULL",
    Hottest "hottest" "must not be NULL",
    Snapshot "hottest" "must be of a minute that is over",
    Text "text" "must not be NULL",
    Exchange "exchange" "must not be NULL",
    AttributeLens "attribute_lens" "must not be NULL",
    Least "least" "must not be NULL",
    Most "most" "must not be NULL",
    Output "out" "must not be NULL",
}

impl Argument {
    /// Returns the name of the C ABI's parameter or field. It is Rust's name too, where both have
    /// the argument.
    pub const fn name(self) -> &'static str {
        without_nul(self.texts().0)
    }

    /// Returns what the argument must be. It completes a sentence that begins with the name, such
    /// as "must be 1 to 3600".
    pub const fn range(self) -> &'static str {
        without_nul(self.texts().1)
    }

    /// Returns name and range, each of which ends in NUL.
    pub(crate) const fn c_texts(self) -> (*const u8, *const u8) {
        let (name, range) = self.texts();
        (name.as_ptr(), range.as_ptr())
    }
}

const fn without_nul(text: &str) -> &str {
    text.split_at(text.len() - 1).0
}

impl std::fmt::Display for Argument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name(), self.range())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::detector::builder::WINDOW_MAX;
    use crate::error::Error;
    use crate::key::{NAME_MAX, PK_MAX};
    use crate::partition::series::SUSTAINED;
    use crate::policy::thresholds::THRESHOLD_MAX;
    use crate::sys::clock::LAST_MS;

    #[test]
    fn texts_make_a_sentence() {
        for argument in Argument::ALL {
            let (name, range) = (argument.name(), argument.range());
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert!(range.starts_with("must ") && !range.ends_with(['.', ' ']), "{range}");
            assert!(!argument.to_string().contains('\0'));
        }
        assert_eq!(Argument::WindowSeconds.to_string(), "window_seconds must be 1 to 3600");
    }

    /// The texts say what the constants are.
    #[test]
    fn ranges_are_those_of_the_code() {
        assert_eq!(Argument::Table.range(), format!("must have 1 to {NAME_MAX} bytes"));
        assert_eq!(Argument::Model.range(), Argument::Table.range());
        for named in [Argument::KeyTable, Argument::KeyIndex] {
            assert_eq!(named.range(), format!("must have 1 to {NAME_MAX} bytes of UTF-8"));
        }
        assert_eq!(Argument::KeyAttribute.range(), format!("must have 1 to {NAME_MAX} bytes of UTF-8 each"));
        assert_eq!(Argument::Pk.range(), format!("must have at most {PK_MAX} bytes"));
        assert_eq!(Argument::WindowSeconds.range(), format!("must be 1 to {WINDOW_MAX}"));
        let sustained = format!("must be {SUSTAINED} to {WINDOW_MAX} with ");
        assert!(Argument::WindowSecondsSustained.range().starts_with(&sustained));
        assert_eq!(Argument::NowMs.range(), format!("must be at most {LAST_MS}"));
        assert_eq!(THRESHOLD_MAX, (1 << 63) - 1);
    }

    #[test]
    fn an_error_takes_one_byte() {
        assert_eq!(size_of::<Error>(), 1);
        assert_eq!(size_of::<Result<u64, Error>>(), 16);
    }
}
