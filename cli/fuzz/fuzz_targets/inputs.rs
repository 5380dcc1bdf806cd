//! Any bytes, as a file of the command `hotpart`. Nothing panics; every record is accounted for;
//! entries come in the order of their times.
#![no_main]

use hotpart::Detector;
use hotpart_cli::batch::Batch;
use hotpart_cli::feed::{Feed, Measure};
use hotpart_cli::input::Inputs;
use hotpart_cli::input::format::Options;
use hotpart_cli::input::source::Progress;
use libfuzzer_sys::fuzz_target;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

fuzz_target!(|bytes: &[u8]| {
    let mut file = memory_file();
    file.write_all(bytes).expect("there is memory");
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let options = Options {
        keep_going: true,
        lateness_ms: 60_000,
        keys: [("events".to_owned(), vec!["id".to_owned()])].into(),
        ..Options::default()
    };
    // One whose format is not known is refused.
    let Ok(mut inputs) = Inputs::new(&[path], options, Progress::default()) else { return };
    let detector = Detector::builder(500, 1_500, 60).manual_clock().build().expect("valid numbers");
    let mut feed = Feed::new(Measure::Operations);
    let (mut entries, mut last_ms) = (0, 0);
    // A file that is compressed may be cut.
    while let Ok(Some(batch)) = inputs.next(Batch::default()) {
        for entry in batch.iter() {
            assert!(entry.time_ms() >= last_ms);
            (entries, last_ms) = (entries + 1, entry.time_ms());
        }
        feed.second(&detector, &batch).expect("what a detector would refuse is bad, by its line");
    }
    let account = &inputs.account;
    assert!(entries <= account.entries, "an error may end it");
    let without: u64 = account.without_entries.values().sum();
    // A record has one entry at most.
    assert_eq!(account.records, account.entries + account.late + without + account.bad);
});

/// A file that has no name.
fn memory_file() -> std::fs::File {
    let folder = std::env::temp_dir();
    let path = folder.join(format!("hotpart-fuzz-{}", std::process::id()));
    let file = std::fs::File::options().read(true).write(true).create(true).truncate(true).open(&path);
    let _ = std::fs::remove_file(&path);
    file.expect("a temporary file")
}
