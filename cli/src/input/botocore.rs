//! botocore's debug log: what `boto3.set_stream_logger("botocore", logging.DEBUG)`, `aws --debug`
//! and the like print.
//!
//! ```text
//! 2026-03-02 10:04:07,103 botocore.endpoint [DEBUG] Making request for OperationModel(name=PutItem) with params: {… 'body': b'{…}' …}
//! 2026-03-02 10:04:07,114 botocore.endpoint [DEBUG] Sending http request: <AWSPreparedRequest …>         once for each attempt
//! 2026-03-02 10:04:07,126 urllib3.connectionpool [DEBUG] https://… "POST / HTTP/1.1" 200 2               if urllib3 logs too
//! 2026-03-02 10:04:07,127 botocore.parsers [DEBUG] Response body:                                         once or, of an error, twice
//! b'{}'
//! ```
//!
//! An attempt is sent, and the first body after that is its response. A line that names its thread,
//! or Lambda's request, goes with the others of that; where lines don't, those of several threads
//! can't be told apart.

mod literal;

use crate::entry::{Exchange, Origin};
use crate::input::parse::{Out, Parse, SOME};
use crate::input::source::Source;
use crate::input::timestamp;
use anyhow::Result;
use memchr::memmem::find;
use std::collections::BTreeMap;
use std::io::{BufRead, Read};

const MAKING: &[u8] = b"Making request for OperationModel(name=";
const SENDING: &[u8] = b"Sending http request: ";
const BODY: &[u8] = b"Response body:";
const FAILED: &[u8] = b"Exception received when sending";
/// The errors that come before anything has left.
const UNSENT: [&[u8]; 3] = [b"NewConnectionError", b"EndpointConnectionError", b"ConnectTimeoutError"];
const TARGET: &[u8] = b"'X-Amz-Target': 'DynamoDB_20120810.";
/// The most bytes of a line that are kept: a request has 16 MiB at most, and a byte of it up to
/// four characters.
const LINE_MAX: u64 = 80 << 20;
/// The most threads that are told apart.
const THREADS_MAX: usize = 10_000;

/// One thread's request.
#[derive(Default)]
struct Thread {
    /// The request; `None` if it is not one of DynamoDB's.
    request: Option<Request>,
    /// The attempt whose response has not been seen.
    sent: Option<Sent>,
    /// Whether sending it has failed, so that an error follows.
    has_failed: bool,
    /// Whether the next line is the body of a response.
    body_follows: bool,
}

struct Request {
    operation: Vec<u8>,
    body: Vec<u8>,
}

struct Sent {
    time_ms: u64,
    http_status: Option<u16>,
}

/// Reads the log.
pub struct Botocore {
    source: Source,
    line: u64,
    text: Vec<u8>,
    threads: BTreeMap<Vec<u8>, Thread>,
    /// The thread of the last line, as the line that follows may belong to it.
    last: Vec<u8>,
}

impl Botocore {
    pub fn new(source: Source) -> Self {
        Self { source, line: 0, text: Vec::new(), threads: BTreeMap::new(), last: Vec::new() }
    }

    /// Returns whether a text has lines of this log.
    pub fn is(text: &[u8]) -> bool {
        find(text, MAKING).is_some()
            || text
                .split(|&byte| byte == b'\n')
                .any(|line| find(line, b"botocore.").is_some() && find(line, b"DEBUG").is_some())
    }

    fn take(&mut self, out: &mut Out<'_>) -> Result<()> {
        let text = self.text.trim_ascii_end();
        if let Some(thread) = self.threads.get_mut(&self.last).filter(|thread| thread.body_follows) {
            thread.body_follows = false;
            return response(thread, self.line, text, out);
        }
        let Some(message) = Message::of(text) else {
            self.take_other(out);
            return Ok(());
        };
        let Message { kind, text, .. } = message;
        self.last.clear();
        self.last.extend_from_slice(message.thread);
        if kind == Kind::Making {
            let thread = self.threads.entry(self.last.clone()).or_default();
            unanswered(thread, self.line, out)?;
            thread.request = None;
            if find(text, TARGET).is_none() {
                out.without_entries("of other services");
                return Ok(());
            }
            match request(text) {
                Some(request) => thread.request = Some(request),
                None => out.bad(self.line, "the request's body is not there, or cut")?,
            }
            if self.threads.len() > THREADS_MAX {
                self.threads.retain(|_, thread| thread.sent.is_some() || thread.request.is_some());
            }
            return Ok(());
        }
        let Some(thread) = self.threads.get_mut(&self.last) else { return Ok(()) };
        match kind {
            Kind::Making => {}
            Kind::Failed => thread.has_failed = true,
            Kind::Sending => {
                unanswered(thread, self.line, out)?;
                thread.has_failed = false;
                if thread.request.is_some() {
                    let Some(time_ms) = message.time_ms else {
                        return out.bad(self.line, "there is no time on this line");
                    };
                    thread.sent = Some(Sent { time_ms, http_status: None });
                }
            }
            Kind::Status => {
                if let Some(sent) = &mut thread.sent {
                    sent.http_status = status(text);
                }
            }
            Kind::Body => {
                let body = text.trim_ascii();
                // A collector of logs may have joined the lines.
                if body.is_empty() {
                    thread.body_follows = true;
                } else {
                    response(thread, self.line, body, out)?;
                }
            }
        }
        Ok(())
    }
}

impl Botocore {
    /// Takes a line of a traceback, or any other line.
    fn take_other(&mut self, out: &mut Out<'_>) {
        let text = self.text.trim_ascii_end();
        if let Some(thread) = self.threads.get_mut(&self.last).filter(|thread| thread.sent.is_some())
            && thread.has_failed
            && UNSENT.iter().any(|error| find(text, error).is_some())
        {
            thread.sent = None;
            out.without_entries("that could not be sent");
        }
    }
}

impl Parse for Botocore {
    fn read(&mut self, out: &mut Out<'_>) -> Result<bool> {
        for _ in 0..SOME {
            self.text.clear();
            let len = self.source.by_ref().take(LINE_MAX).read_until(b'\n', &mut self.text)?;
            if len == 0 {
                for thread in self.threads.values_mut() {
                    unanswered(thread, self.line, out)?;
                }
                return Ok(false);
            }
            self.line += 1;
            self.take(out)?;
        }
        Ok(true)
    }
}

/// Takes note of an attempt without a response, which may have run.
fn unanswered(thread: &mut Thread, line: u64, out: &mut Out<'_>) -> Result<()> {
    match (&thread.request, thread.sent.take()) {
        (Some(request), Some(sent)) => out.exchange(&request.exchange(out.at(line), sent.time_ms, None, 0)),
        _ => Ok(()),
    }
}

/// Takes the body of a response, which is a literal of Python's.
fn response(thread: &mut Thread, line: u64, text: &[u8], out: &mut Out<'_>) -> Result<()> {
    // The body of an error is there twice.
    let (Some(request), Some(sent)) = (&thread.request, thread.sent.take()) else { return Ok(()) };
    let body = literal::bytes(text).map(|(body, _)| body);
    let http_status = sent.http_status.unwrap_or_else(|| match &body {
        Some(body) if find(body, b"#InternalServerError").is_some() => 500,
        Some(body) if find(body, b"\"__type\"").is_some() => 400,
        _ => 200,
    });
    out.exchange(&request.exchange(out.at(line), sent.time_ms, body.as_deref(), http_status))
}

impl Request {
    fn exchange<'a>(
        &'a self,
        from: Origin,
        time_ms: u64,
        response: Option<&'a [u8]>,
        http_status: u16,
    ) -> Exchange<'a> {
        Exchange {
            from,
            time_ms,
            operation: &self.operation,
            request: &self.body,
            response,
            model: None,
            http_status,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Making,
    Sending,
    Failed,
    Status,
    Body,
}

/// A line that matters.
struct Message<'a> {
    time_ms: Option<u64>,
    thread: &'a [u8],
    kind: Kind,
    /// The text after the words by which the message is known.
    text: &'a [u8],
}

impl<'a> Message<'a> {
    fn of(line: &'a [u8]) -> Option<Self> {
        let words = [
            (MAKING, Kind::Making),
            (SENDING, Kind::Sending),
            (FAILED, Kind::Failed),
            (BODY, Kind::Body),
            (b"\"POST / HTTP/1.", Kind::Status),
        ];
        // What is before the message has no room for more.
        let begin = &line[..line.len().min(300)];
        let (at, words, kind) =
            words.iter().find_map(|&(words, kind)| Some((find(begin, words)?, words, kind)))?;
        let (head, text) = (&line[..at], &line[at + words.len()..]);
        Some(Self { time_ms: time(head), thread: thread(head), kind, text })
    }
}

/// Finds the time in what is before a message.
fn time(head: &[u8]) -> Option<u64> {
    (0..head.len())
        .filter(|&at| head[at].is_ascii_digit() && (at == 0 || !head[at - 1].is_ascii_digit()))
        .find_map(|at| {
            let rest = &head[at..];
            let (_, after) = rest.split_at_checked(19)?;
            let is_more =
                |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'Z' | b'+' | b':' | b'-');
            let len = 19 + after.iter().take_while(|byte| is_more(byte)).count();
            // A mark may follow that is not part of it.
            (19..=len).rev().find_map(|len| timestamp::parse(&rest[..len]))
        })
}

/// Finds the words that tell threads apart: the second of the parts between ` - `, or Lambda's
/// request, the third between tabs.
fn thread(head: &[u8]) -> &[u8] {
    let head = std::str::from_utf8(head).unwrap_or_default();
    let by_dash = head
        .split(" - ")
        .nth(1)
        .filter(|part| !part.starts_with("botocore.") && !part.starts_with("urllib3."));
    let by_tab = head.split('\t').nth(2);
    by_tab.or(by_dash).unwrap_or_default().as_bytes()
}

/// Reads a request's operation and body from what a line says of it.
fn request(text: &[u8]) -> Option<Request> {
    let operation = text[..text.iter().position(|&byte| byte == b')')?].to_vec();
    // The first such member is the request's own: before it come the URL and the headers.
    const MEMBER: &[u8] = b"'body': ";
    let body = &text[find(text, MEMBER)? + MEMBER.len()..];
    let (body, rest) = literal::bytes(body)?;
    // A line that was cut has no end.
    (!rest.is_empty()).then_some(Request { operation, body })
}

fn status(text: &[u8]) -> Option<u16> {
    let text = text.split(|&byte| byte == b'"').nth(1)?.trim_ascii_start();
    std::str::from_utf8(text.get(..3)?).ok()?.parse().ok()
}
