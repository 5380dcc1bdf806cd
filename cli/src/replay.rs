//! Replay: reads the inputs on a thread of its own, and hands their seconds on, in order.

use crate::batch::Batch;
use crate::input::Inputs;
use crate::input::account::Account;
use anyhow::Result;
use std::sync::mpsc::{channel, sync_channel};

/// The number of seconds that are read ahead.
const AHEAD: usize = 16;

/// Calls `see` with the entries of each second that has some, in the order of time. Returns the
/// account of all records.
pub fn replay(mut inputs: Inputs, mut see: impl FnMut(&Batch) -> Result<()>) -> Result<Account> {
    let (to, from) = sync_channel::<Batch>(AHEAD);
    let (give_back, spare) = channel::<Batch>();
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || -> Result<Account> {
            while let Some(batch) = inputs.next(spare.try_recv().unwrap_or_default())? {
                // The receiver is gone once `see` has failed.
                if to.send(batch).is_err() {
                    break;
                }
            }
            Ok(inputs.account)
        });
        for batch in from {
            see(&batch)?;
            // The reader may have ended.
            let _ = give_back.send(batch);
        }
        reader.join().expect("the reader does not panic")
    })
}
