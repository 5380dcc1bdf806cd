//! Standard input, `-`: as a file of the same content, plain or compressed, alone or among files.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Runs the command, which may end before it has read all.
fn run(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hotpart"))
        .args(args)
        .args(["--quiet", "--json", "--key", "Orders=customer", "--key", "events=id"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        scope.spawn(move || _ = pipe.write_all(input));
        child.wait_with_output().expect("the command ends")
    })
}

/// Returns what was printed, but for the memory that it took.
fn printed(args: &[&str], input: &[u8]) -> Value {
    let output = run(args, input);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    let mut printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for name in ["memory", "remarks"] {
        printed.as_object_mut().expect("an object").remove(name);
    }
    printed
}

#[test]
fn it_is_read_as_a_file_is() {
    for file in ["cloudtrail.json", "botocore-boto3.log", "recording.jsonl", "sdk-js.jsonl"] {
        let path = fixture(file);
        let (path, plain) = (path.to_str().expect("text"), std::fs::read(&path).expect("a fixture"));
        for command in ["report", "backtest"] {
            let of_file = printed(&[command, path], b"");
            let of = |input: &[u8]| printed(&[command, "-"], input);
            assert_eq!(of(&plain), of_file, "{command} {file}");
            assert_eq!(of(&gzip(&plain)), of_file, "{command} {file}, gzip");
            let zstd = zstd::encode_all(&plain[..], 3).expect("memory");
            assert_eq!(of(&zstd), of_file, "{command} {file}, zstd");
        }
        assert!(printed(&["report", path], b"")["records"]["entries"].as_u64() > Some(2), "{file}");
    }
}

/// It can't be looked into before it is read, so it is opened first, though what it has is of a
/// later time.
#[test]
fn it_is_merged_with_files() {
    let [trail, log, stream] = ["cloudtrail.json", "botocore-boto3.log", "kinesis.json"]
        .map(|name| fixture(name).to_str().expect("text").to_owned());
    let input = std::fs::read(&log).expect("a fixture");
    let of_files = printed(&["report", &trail, &log, &stream], b"");
    for args in
        [["report", "-", &trail, &stream], ["report", &trail, "-", &stream], ["report", &trail, &stream, "-"]]
    {
        for input in [&input, &gzip(&input)] {
            assert_eq!(printed(&args, input), of_files, "{args:?}");
        }
    }
}

#[test]
fn it_may_be_empty_and_it_may_be_cut() {
    assert_eq!(printed(&["report", "-"], b"")["span"], Value::Null);
    let whole = gzip(&std::fs::read(fixture("cloudtrail.json")).expect("a fixture"));
    let cut = run(&["report", "-"], &whole[..whole.len() / 2]);
    let error = String::from_utf8_lossy(&cut.stderr).into_owned();
    assert!(!cut.status.success() && error.contains("standard input"), "{error}");
    let bad = run(&["report", "-"], b"1000,write,events,a\n1000,scan,events,a\n");
    let error = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(!bad.status.success() && error.contains("standard input:2: "), "{error}");
}

/// As `<(zcat old.gz)` in a shell. It too can be read once.
#[cfg(unix)]
#[test]
fn named_pipes_are_merged() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pipes-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    // More than is read to see where a file begins.
    let lines =
        |begin: u64| (0..20_000).map(|n| format!("{},write,events,a\n", begin + n * 10)).collect::<String>();
    let texts = [lines(1_772_445_600_000), lines(1_772_445_605_000)];
    let [files, pipes] = ["file", "pipe"].map(|kind| [0, 1].map(|i| folder.join(format!("{kind}{i}"))));
    let names = |paths: &[PathBuf; 2]| paths.each_ref().map(|path| path.to_str().expect("text").to_owned());
    for i in [0, 1] {
        std::fs::write(&files[i], &texts[i]).expect("a file is written");
        assert!(Command::new("mkfifo").arg(&pipes[i]).status().expect("mkfifo runs").success());
    }
    let [file_names, pipe_names] = [names(&files), names(&pipes)];
    let of_files = printed(&["report", &file_names[0], &file_names[1]], b"");
    let write = |i: usize| _ = std::fs::write(&pipes[i], &texts[i]);
    std::thread::scope(|scope| {
        let writers = [0, 1].map(|i| scope.spawn(move || write(i)));
        assert_eq!(printed(&["report", &pipe_names[0], &pipe_names[1]], b""), of_files);
        // What is not read would wait for ever.
        assert!(writers.into_iter().all(|writer| writer.join().is_ok()));
    });
    assert_eq!(of_files["records"]["entries"], 40_000);
    std::fs::remove_dir_all(&folder).expect("a folder");
}

#[test]
fn it_is_named_once() {
    let twice = run(&["report", "-", "-"], b"1000,write,events,a\n");
    let error = String::from_utf8_lossy(&twice.stderr).into_owned();
    assert!(!twice.status.success() && error.contains("standard input is named twice"), "{error}");
}
