//! A DynamoDB that answers what it is told to, for what no emulator answers.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::{thread, time::Duration};

pub enum Answer {
    Whole(u16, String),
    /// The connection is closed, without an answer or in the middle of one.
    Dropped,
    BrokenOff(u16),
    /// None comes for longer than anybody waits.
    Never,
}

/// Answers requests in turn, and those of DescribeTable in theirs: they come when they like.
pub struct Fake {
    pub endpoint: String,
    data: Arc<Mutex<Line>>,
    descriptions: Arc<Mutex<Line>>,
}

/// Requests in turn, and what they will be answered.
#[derive(Default)]
struct Line {
    answers: VecDeque<Answer>,
    requests: Vec<String>,
}

impl Fake {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (data, descriptions) = <(Arc<Mutex<Line>>, Arc<Mutex<Line>>)>::default();
        let lines = [Arc::clone(&data), Arc::clone(&descriptions)];
        // It ends with the process.
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (connection, lines) = (connection.unwrap(), lines.clone());
                thread::spawn(move || serve(connection, &lines));
            }
        });
        Self { endpoint, data, descriptions }
    }

    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.data.lock().unwrap().answers.extend(answers);
    }

    /// The answers to DescribeTable.
    pub fn describe(&self, answers: impl IntoIterator<Item = Answer>) {
        self.descriptions.lock().unwrap().answers.extend(answers);
    }

    /// The bodies that came, in turn, but for those of DescribeTable.
    pub fn requests(&self) -> Vec<String> {
        self.data.lock().unwrap().requests.clone()
    }

    pub fn described(&self) -> Vec<String> {
        self.descriptions.lock().unwrap().requests.clone()
    }

    pub fn all_were_asked_for(&self) -> bool {
        [&self.data, &self.descriptions].iter().all(|line| line.lock().unwrap().answers.is_empty())
    }
}

/// Ends when the client closes, or the connection is to be.
fn serve(connection: TcpStream, [data, descriptions]: &[Arc<Mutex<Line>>; 2]) {
    let mut connection = BufReader::new(connection);
    while let Some((describes, request)) = read_request(&mut connection) {
        let answer = {
            let mut line = if describes { descriptions } else { data }.lock().unwrap();
            line.requests.push(request);
            line.answers.pop_front()
        };
        let answer = answer.expect("an answer for every request");
        let (status, body, sent) = match answer {
            Answer::Whole(status, body) => (status, body, true),
            Answer::BrokenOff(status) => (status, "{\"Attributes\":{}}".to_owned(), false),
            Answer::Dropped => return,
            Answer::Never => return thread::sleep(Duration::from_secs(60)),
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let body = if sent { &body } else { &body[..4] };
        connection.get_mut().write_all((head + body).as_bytes()).unwrap();
        if !sent {
            return;
        }
    }
}

/// The body of a request, and whether it is a DescribeTable; `None` if none comes any more.
fn read_request(connection: &mut impl BufRead) -> Option<(bool, String)> {
    let (mut length, mut describes) = (0, false);
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(number) = line.strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        describes |= line.starts_with("x-amz-target:") && line.ends_with(".describetable");
        if line.is_empty() {
            let mut body = vec![0; length];
            connection.read_exact(&mut body).ok()?;
            return Some((describes, String::from_utf8(body).ok()?));
        }
    }
}

pub fn ok(body: &str) -> Answer {
    Answer::Whole(200, body.to_owned())
}

/// An error's answer; `members` follow its name, such as `,"Item":{}`.
pub fn error(name: &str, members: &str) -> Answer {
    let body =
        format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{name}","message":"as told"{members}}}"#);
    Answer::Whole(400, body)
}

pub fn throttle(reason: &str, resource: &str) -> Answer {
    let reasons = format!(r#","ThrottlingReasons":[{{"reason":"{reason}","resource":"{resource}"}}]"#);
    error("ProvisionedThroughputExceededException", &reasons)
}

/// The answer to a DescribeTable of `table`, whose key is `id`, with an index by `g`.
pub fn description(table: &str) -> Answer {
    let keys = |name| format!(r#"[{{"AttributeName":"{name}","KeyType":"HASH"}}]"#);
    let index = format!(r#"[{{"IndexName":"by_g","KeySchema":{}}}]"#, keys("g"));
    let (key, table) = (keys("id"), format!(r#""TableName":"{table}""#));
    ok(&format!(r#"{{"Table":{{{table},"KeySchema":{key},"GlobalSecondaryIndexes":{index}}}}}"#))
}
