//! Describes the tables whose key is needed and unknown, by a client of the caller's own
//! configuration.

use super::Watcher;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// The errors by which a description is not permitted.
const DENIED: [&str; 3] = ["AccessDeniedException", "AccessDenied", "UnauthorizedOperation"];
/// The time for which a table that could not be described is left alone. Each further failure
/// doubles it, up to the other.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// The time in which the detector asks once for a table.
const ASKS: Duration = Duration::from_secs(60);
/// The number of tables that are remembered. For others the detector asks again.
const TABLES_MAX: usize = 1_000;
/// The time after which a description counts as lost: its runtime has stopped, say.
const PATIENCE: Duration = Duration::from_secs(60);

/// The tables that are wanted described, by whatever client of one [`Watch`](super::Watch).
#[derive(Debug, Default)]
pub(crate) struct Wanted(Mutex<HashMap<String, Want>>);

impl Wanted {
    fn tables(&self) -> MutexGuard<'_, HashMap<String, Want>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Describes tables by one client.
#[derive(Debug)]
pub(crate) struct Describer {
    watcher: Arc<Watcher>,
    client: Client,
}

/// A table that is wanted described, until it is or may not be.
#[derive(Debug)]
struct Want {
    /// The name that a request gave the table. One of another account has none but its ARN.
    name: String,
    /// The moment from which it may be asked for.
    due: Instant,
    /// How long it is left alone if that fails.
    pause: Duration,
    /// The moment from which that is of no use: what waits for it is too old to be counted.
    until: Instant,
}

impl Describer {
    /// Its client tells `watcher` what it is answered.
    pub(crate) fn new(watcher: Arc<Watcher>, client: Client) -> Self {
        Self { watcher, client }
    }

    /// Wants tables described that `request` names.
    pub(crate) fn want(&self, tables: Vec<String>, request: &[u8]) {
        let now = Instant::now();
        let until = now + ASKS + Duration::from_secs(self.watcher.detector.window_seconds().into());
        let mut wanted = self.wanted();
        for table in tables {
            if let Some(want) = wanted.get_mut(&table) {
                want.until = until;
            } else if wanted.len() < TABLES_MAX {
                let name = arn(request, &table).unwrap_or(&table).to_owned();
                wanted.insert(table, Want { name, due: now, pause: PAUSE, until });
            }
        }
    }

    /// Describes what is wanted and is not being described, aside: the caller's request doesn't
    /// wait for it.
    pub(crate) fn describe_wanted(self: &Arc<Self>) {
        let now = Instant::now();
        let mut wanted = self.wanted();
        wanted.retain(|_, want| want.until > now);
        if wanted.values().all(|want| want.due > now) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return self.watcher.failed(&"there is no tokio runtime here to describe a table on");
        };
        for (table, want) in wanted.iter_mut().filter(|(_, want)| want.due <= now) {
            want.due = now + PATIENCE;
            let under_way = UnderWay { describer: Arc::clone(self), table: table.clone(), ended: false };
            runtime.spawn(under_way.describe(want.name.clone()));
        }
    }

    fn wanted(&self) -> MutexGuard<'_, HashMap<String, Want>> {
        self.watcher.wanted.tables()
    }
}

/// A description that is under way. If it is dropped, as its runtime shuts down, the table can be
/// asked for again at once.
struct UnderWay {
    describer: Arc<Describer>,
    table: String,
    ended: bool,
}

impl UnderWay {
    async fn describe(mut self, name: String) {
        let answer = self.describer.client.describe_table().table_name(name).send().await;
        self.ended = true;
        let (watcher, table) = (&self.describer.watcher, &self.table);
        let Err(error) = answer else {
            // The client's own hook has told of the answer.
            self.describer.wanted().remove(table);
            return;
        };
        if let Some(code) = error.code().filter(|code| DENIED.contains(code)) {
            self.describer.wanted().remove(table);
            watcher.undescribed(table, code, "are not counted");
            if let Err(error) = watcher.detector.forget_table(table) {
                watcher.failed(&error);
            }
            return;
        }
        if let Some(want) = self.describer.wanted().get_mut(table) {
            want.due = Instant::now() + want.pause;
            want.pause = (2 * want.pause).min(PAUSE_MAX);
        }
        // Without what differs each time, such as a request's id.
        let why = error.code().map_or_else(|| error.to_string(), str::to_owned);
        watcher.undescribed(table, &why, "wait until it is known, or are not counted");
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Some(want) = self.describer.wanted().get_mut(&self.table) {
            want.due = Instant::now();
        }
    }
}

/// Finds the ARN by which a request names a table, as the SDK has written it. An attribute's value
/// is no name.
fn arn<'r>(request: &'r [u8], table: &str) -> Option<&'r str> {
    let request = str::from_utf8(request).ok()?;
    let ending = format!(":table/{table}\"");
    request.match_indices(&ending).find_map(|(at, _)| {
        let start = request[..at].rfind('"')? + 1;
        let end = at + ending.len() - 1;
        let is_name = request[..start].ends_with("\"TableName\":\"") || request[end + 1..].starts_with(':');
        (is_name && request[start..].starts_with("arn:")).then(|| &request[start..end])
    })
}

#[cfg(test)]
mod tests {
    use super::arn;

    #[test]
    fn a_table_is_called_as_the_request_calls_it() {
        let other = "arn:aws:dynamodb:eu-west-1:210987654321:table/events";
        for (request, expected) in [
            (format!(r#"{{"TableName":"{other}","Key":{{}}}}"#), Some(other)),
            (format!(r#"{{"RequestItems":{{"{other}":[]}}}}"#), Some(other)),
            (format!(r#"{{"TableName":"events","Item":{{"id":{{"S":"{other}"}}}}}}"#), None),
            (format!(r#"{{"TableName":"events","Item":{{"id":{{"S":"\"TableName\":\"{other}"}}}}}}"#), None),
            (r#"{"TableName":"events"}"#.to_owned(), None),
            (r#"{"TableName":":table/events"}"#.to_owned(), None),
            (format!(r#"{{"TableName":"{other}2"}}"#), None),
        ] {
            assert_eq!(arn(request.as_bytes(), "events"), expected, "{request}");
        }
        assert_eq!(arn(b"\xFF", "events"), None);
    }
}
