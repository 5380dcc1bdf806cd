//! `hotpart top`, by processes that serve the library's own metrics, and in a real terminal.

use hotpart::{Detector, Metrics};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Serves this body to whoever asks, and returns the server's address.
fn serve(body: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request = lines.next().and_then(Result::ok).unwrap_or_default();
            lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            let body = body(&request);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}")
}

/// A process that has so many writes of partitions `a` and `b`, and lists what has 20.
fn process(a: u32, b: u32) -> String {
    let detector = Detector::builder(500, 1_500, 60).build().unwrap();
    for (pk, n) in [("a", a), ("b", b)] {
        (0..n).for_each(|_| assert!(detector.record_write("orders", pk).is_ok()));
    }
    serve(move |_| detector.metrics(&Metrics::default().least(20)).unwrap()) + "/metrics"
}

fn top(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hotpart")).arg("top").args(args).output().unwrap()
}

#[test]
fn two_processes_are_added_up_to_bounds() {
    let (first, second) = (process(300, 3), process(100, 40));
    let output = top(&[&first, &second, "--once", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let fleet: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&fleet["processes"], &fleet["blind"]), (&2.into(), &false.into()));
    let of = |i: usize, name: &str| fleet["partitions"][i][name].clone();
    assert_eq!((of(0, "pk"), of(0, "sum"), of(0, "most")), ("a".into(), 400.0.into(), 400.0.into()));
    // The first process does not list it, and what it does not list has three at most.
    assert_eq!((of(1, "pk"), of(1, "sum"), of(1, "most")), ("b".into(), 40.0.into(), 43.0.into()));
    assert_eq!((of(0, "processes"), of(1, "processes")), (2.into(), 1.into()));
    let table = String::from_utf8(top(&[&first, &second, "--once", "--filter", "B"]).stdout).unwrap();
    assert!(table.contains("orders") && table.contains("43") && !table.contains("400"), "{table}");
}

#[test]
fn an_address_that_does_not_answer_is_told_and_the_others_shown() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = top(&[&process(30, 0), &format!("http://{nobody}/metrics"), "--once"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("orders"), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 of 2 addresses failed"), "{output:?}");
}

#[test]
fn a_page_of_something_else_is_not_a_process_without_load() {
    let other = serve(|_| "# TYPE up gauge\nup 1\n".into());
    for (address, says) in [
        (format!("{other}/metrics"), "it answers, but not with metrics of hotpart"),
        (other, "a process's address has a path, such as /metrics"),
    ] {
        let output = top(&[&address, "--once"]);
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.starts_with("hotpart: no address gave metrics: ") && error.contains(says), "{error}");
    }
}

#[test]
fn values_that_no_count_has_are_left_out_and_told() {
    let demand = |pk: &str, value: &str| {
        format!("hotpart_partition_demand{{table=\"t\",pk=\"{pk}\",operation=\"write\"}} {value}\n")
    };
    let page = [("a", "NaN"), ("b", "+Inf"), ("c", "-5"), ("d", "30")].map(|(pk, value)| demand(pk, value));
    let address = serve(move |_| page.concat()) + "/metrics";
    let fleet: Value = serde_json::from_slice(&top(&[&address, "--once", "--json"]).stdout).unwrap();
    let pks: Vec<_> =
        fleet["partitions"].as_array().unwrap().iter().map(|of| of["pk"].as_str().unwrap()).collect();
    assert_eq!((pks, &fleet["unread"]), (vec!["d"], &3.into()), "{fleet}");
    let table = String::from_utf8(top(&[&address, "--once"]).stdout).unwrap();
    assert!(table.contains("1 process, 3 lines could not be read;"), "{table}");
}

#[test]
fn a_prometheus_is_asked_for_what_the_rules_recorded() {
    let series = |name: &str, value: u32| {
        format!(
            r#"{{"metric":{{"__name__":"{name}","table":"t","pk":"k","operation":"write"}},"value":[1,"{value}"]}}"#
        )
    };
    let recorded = [
        series("fleet:hotpart_partition_demand:sum", 30_000),
        series("fleet:hotpart_partition_demand:most", 60_000),
        r#"{"metric":{"__name__":"fleet:hotpart_window_seconds"},"value":[1,"60"]}"#.into(),
        r#"{"metric":{"__name__":"fleet:hotpart_processes:seen","job":"j"},"value":[1,"50"]}"#.into(),
        r#"{"metric":{"__name__":"fleet:hotpart_partition_unlisted:most","operation":"write"},"value":[1,"5"]}"#.into(),
        r#"{"metric":{"__name__":"fleet:hotpart_partition_unlisted:most","operation":"read"},"value":[1,"5"]}"#.into(),
    ];
    let recorded = format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#,
        recorded.join(",")
    );
    let nothing = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    let url =
        serve(move |request| if request.contains("throttles") { nothing.into() } else { recorded.clone() });
    let output = top(&[&url, "--once", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let fleet: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&fleet["processes"], &fleet["blind"]), (&50.into(), &false.into()));
    assert_eq!(fleet["partitions"][0]["share_of_limit"], 1.0);
}

/// Runs tmux on a server of the test's own.
fn tmux(args: &[&str]) -> String {
    let output =
        Command::new("tmux").args(["-L", "hotpart-top-test", "-f", "/dev/null"]).args(args).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Waits until the terminal shows this.
fn wait_for(wanted: &[&str]) -> String {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let shown = tmux(&["capture-pane", "-p"]);
        if wanted.iter().all(|wanted| shown.contains(wanted)) {
            return shown;
        }
        assert!(Instant::now() < end, "the screen never had {wanted:?}:\n{shown}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_terminal_shows_sorts_filters_and_ends() {
    if Command::new("tmux").arg("-V").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "tmux is not installed");
        println!("skipped: tmux is not installed");
        return;
    }
    let (first, second) = (process(300, 3), process(100, 40));
    let command = format!("{} top {first} {second} --every 0.2", env!("CARGO_BIN_EXE_hotpart"));
    tmux(&["new-session", "-d", "-x", "120", "-y", "20", &command]);
    let shown = wait_for(&["2 processes", "orders", "400", "by sum"]);
    assert!(shown.find(" a ") < shown.find(" b "), "{shown}");
    tmux(&["send-keys", "s"]);
    wait_for(&["by most"]);
    tmux(&["send-keys", "/", "b"]);
    wait_for(&["filter: b_"]);
    tmux(&["send-keys", "Enter"]);
    let shown = wait_for(&["1 partition by", "with \"b\"", "43"]);
    assert!(!shown.contains("400"), "{shown}");
    tmux(&["send-keys", "r"]);
    wait_for(&["0 partitions", "reads"]);
    tmux(&["send-keys", "q"]);
    let end = Instant::now() + Duration::from_secs(60);
    while !tmux(&["list-sessions"]).is_empty() {
        assert!(Instant::now() < end, "q does not end it");
        std::thread::sleep(Duration::from_millis(50));
    }
}
