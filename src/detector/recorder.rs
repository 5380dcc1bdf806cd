//! Recordings: exchanges as lines that the command `hotpart` reads.
//!
//! A recording must not lose a line, so whatever an exchange is, there is a line for it. A body
//! that is no JSON object is written as a string; where keys are redacted, as `null`, since it may
//! contain one.

use crate::detector::Detector;
use crate::detector::observe::Exchange;
use crate::dynamodb::json;
use crate::dynamodb::redacted::{redact_request, redact_response};
use crate::key::Key;
use crate::key::redaction::Redaction;
use std::io::{self, Write};

/// The most memory of a line that is kept for the next, in bytes.
const KEPT: usize = 64 * 1_024;

/// Writes exchanges with DynamoDB as a recording, which `hotpart report`, `backtest` and `heatmap`
/// read: one JSON object a line, each by a single call of `write_all`.
///
/// Bodies are written as they are. Where the detector [redacts](crate::Builder::redact_keys) keys,
/// the recording is redacted too: in place of each value of an attribute, literals of statements
/// included, stands its text as a partition key of its table ([`Detector::redacted`]). So a
/// partition has the same name in the recording as in metrics and log lines.
///
/// The writer is anything: a `File` that is appended to, a `BufWriter`, or one that rotates files,
/// such as the crate `file-rotate` has. Threads share a recorder by a lock of their own, or have
/// one each.
///
/// ```
/// use hotpart::{Detector, Exchange, Recorder};
///
/// let detector = Detector::builder(500, 1_500, 60).redact_keys([1, 2]).build()?;
/// let mut recorder = Recorder::new(Vec::new(), &detector);
/// let exchange = Exchange {
///     operation: b"PutItem",
///     request: br#"{"TableName":"events","Item":{"id":{"S":"EVENTS"}}}"#,
///     response: Some(b"{}"),
///     http_status: 200,
///     ..Exchange::default()
/// };
/// recorder.record(1_772_445_841_000, &exchange)?; // beside Detector::observe
/// let expected = format!(
///     "{}{}{}\n",
///     r#"{"time_ms":1772445841000,"operation":"PutItem","request":{"TableName":"events","Item":{"id":{"S":""#,
///     detector.redacted("events", "EVENTS").unwrap(),
///     r#""}}},"response":{},"http_status":200}"#,
/// );
/// assert_eq!(String::from_utf8(recorder.into_inner())?, expected);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Recorder<W> {
    writer: W,
    redaction: Option<Redaction>,
    line: Vec<u8>,
}

impl<W: Write> Recorder<W> {
    /// Makes a recorder that redacts if `detector` does, by its secret.
    pub fn new(writer: W, detector: &Detector) -> Self {
        Self { writer, redaction: detector.settings.redaction.clone(), line: Vec::new() }
    }

    /// Writes an exchange that was observed at `time_ms`, in milliseconds since 1970.
    ///
    /// # Errors
    /// Those of the writer. Whatever the exchange is, there is a line for it.
    pub fn record(&mut self, time_ms: u64, exchange: &Exchange<'_>) -> io::Result<()> {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        self.write_line(time_ms, exchange, &mut line);
        let written = self.writer.write_all(&line);
        line.shrink_to(KEPT);
        self.line = line;
        written
    }

    /// Returns the writer.
    pub fn get_ref(&self) -> &W {
        &self.writer
    }

    /// Returns the writer, to flush it, say.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.writer
    }

    /// Gives the writer back.
    pub fn into_inner(self) -> W {
        self.writer
    }

    /// Writes the line of an exchange, with its line end.
    fn write_line(&self, time_ms: u64, exchange: &Exchange<'_>, line: &mut Vec<u8>) {
        let operation = exchange.operation.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        line.extend_from_slice(format!("{{\"time_ms\":{time_ms},\"operation\":").as_bytes());
        string(line, operation);
        line.extend_from_slice(b",\"request\":");
        self.body(line, exchange.request, None);
        line.extend_from_slice(b",\"response\":");
        self.body(line, exchange.response.unwrap_or_default(), Some(exchange.request));
        line.extend_from_slice(format!(",\"http_status\":{}", exchange.http_status).as_bytes());
        if let Some(model) = exchange.model {
            line.extend_from_slice(b",\"model\":");
            string(line, model);
        }
        line.extend_from_slice(b"}\n");
    }

    /// Writes a body. It is a response's if `request`, to which it was the response, is given.
    fn body(&self, line: &mut Vec<u8>, body: &[u8], request: Option<&[u8]>) {
        let object = std::str::from_utf8(body).ok().filter(|text| json::members(text, []).is_ok());
        match (&self.redaction, object) {
            (Some(redaction), Some(text)) => {
                let start = line.len();
                let stand_in = |table: &str, pk: &[u8]| {
                    let digits = redaction.redact(Key { table: table.as_bytes(), pk });
                    digits.map(char::from).iter().collect()
                };
                let request = request.map(|request| std::str::from_utf8(request).unwrap_or_default());
                let written = match request {
                    None => redact_request(text, &stand_in, line),
                    Some(request) => redact_response(text, request, &stand_in, line),
                };
                // A part may have been written.
                if written.is_err() {
                    line.truncate(start);
                    line.extend_from_slice(b"null");
                }
            }
            // The line ends of an object are between its tokens, as no string has any.
            (None, Some(text)) => line.extend(text.bytes().map(|byte| match byte {
                b'\n' | b'\r' => b' ',
                byte => byte,
            })),
            (None, None) if !body.is_empty() => string(line, body),
            _ => line.extend_from_slice(b"null"),
        }
    }
}

/// Writes text as a JSON string, with U+FFFD for what is not UTF-8.
fn string(line: &mut Vec<u8>, text: &[u8]) {
    let start = line.len();
    if json::write_string(line, String::from_utf8_lossy(text).as_bytes()).is_err() {
        line.truncate(start);
        line.extend_from_slice(b"\"\"");
    }
}
