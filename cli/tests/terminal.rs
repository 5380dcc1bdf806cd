//! Names of which a terminal would obey something, or show something else: none gets there as it
//! is.

use hotpart_cli::readable::is_obeyed;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Clears the screen, writes backwards, ends the line, is not seen.
const NAME: &str = "a\u{1b}[2Jb\u{202e}c\u{2028}d\u{200b}e\u{9b}f";

fn written(name: &str, text: &str) -> PathBuf {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("terminal\u{1b}\u{202e}{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file is written");
    path
}

/// Returns all that a command says, of which nothing is for a terminal.
fn said(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_hotpart")).args(args).output().expect("the command runs");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    let obeyed: Vec<_> = said.chars().filter(|&c| is_obeyed(c) && c != '\n').collect();
    assert!(obeyed.is_empty() && !said.is_empty(), "{args:?}: {obeyed:?}: {said:?}");
    said
}

#[test]
fn no_name_of_a_log_gets_to_a_terminal_as_it_is() {
    let begin_ms = 1_772_445_600_000_u64;
    let lines = (0..5).map(|n| format!("{},write,{NAME},{NAME},2000\n", begin_ms + n * 1_000));
    let log = written("log.csv", &(lines.collect::<String>() + "x\u{1b},write,t,a\n"));
    let item = json!({"id": {"S": "a"}, "at": {"N": "1"}});
    let unknown = json!({"time_ms": begin_ms, "operation": "PutItem", "request": {"TableName": NAME, "Item": item},
                         "response": {}, "http_status": 200});
    let unknown = written("unknown.jsonl", &format!("{unknown}\n"));
    let [log, unknown] = [log, unknown].map(|path| path.to_str().expect("text").to_owned());
    let page = log.replace(".csv", ".html");
    for args in [&["report"][..], &["backtest"], &["backtest", "--sweep"], &["heatmap", "-o", &page]] {
        let said = said(&[args, &["--quiet", "--keep-going", &log, &unknown]].concat());
        assert!(said.contains("log.csv:6: ") && said.contains(": a partition key is unknown"), "{said}");
        let is_named = said.contains("a\\x1B[2Jb\\xE2\\x80\\xAEc\\xE2\\x80\\xA8d\\xE2\\x80\\x8Be\\xC2\\x9Bf");
        assert!(is_named, "{args:?}: {said}");
    }
    assert!(said(&["report", "--quiet", &log]).contains("log.csv:6: "));
    said(&["report", "--quiet", &(log + ".absent")]);
}

#[test]
fn no_name_of_a_page_gets_to_a_terminal_as_it_is() {
    let page: String = ["hotpart_partition_demand", "hotpart_partition_unlisted_most"]
        .map(|name| format!("{name}{{table=\"{NAME}\",pk=\"{NAME}\",operation=\"{NAME}\"}} 30\n"))
        .concat();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut lines = BufReader::new(stream.try_clone().expect("memory")).lines();
            lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", page.len());
            let _ = stream.write_all((head + &page).as_bytes());
        }
    });
    let said = said(&["top", "--once", &format!("http://{address}/metrics")]);
    assert_eq!(said.matches("a\\x1B[2Jb").count(), 4, "{said}");
}
