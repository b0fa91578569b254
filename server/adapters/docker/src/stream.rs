//! A stream written as an ordinary async function that sends.

use std::future::Future;

use futures::channel::mpsc::{Sender, channel};
use futures::{FutureExt, Stream, StreamExt, future, stream};

/// Runs `body` while the stream is read, and never longer: no task outlives its reader.
pub(crate) fn sending<T, F, Body>(body: F) -> impl Stream<Item = T> + Send
where
    T: Send,
    F: FnOnce(Sender<T>) -> Body,
    Body: Future<Output = ()> + Send,
{
    let (sender, receiver) = channel(0);
    let running = body(sender)
        .into_stream()
        .filter_map(|()| future::ready(None));
    stream::select(receiver, Box::pin(running))
}
