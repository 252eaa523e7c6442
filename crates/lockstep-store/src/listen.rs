//! LISTEN: the wake-up call. It may be lost (a broken connection, a restart), so nothing may depend
//! on it: every loop also polls.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, NoTls};

use crate::Store;

/// What another connection, of this or another process, told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// A change was committed: there is something to purge.
    Committed,
    /// A watermark moved: there may be something new to tell.
    Announced,
    /// The listening connection is new; whatever was told meanwhile is unknown, so look.
    Reconnected,
}

/// Listens for ever, reconnecting, and passes each wake-up on; ends when the receiver is dropped.
pub async fn listen(store: Store, wakes: mpsc::Sender<Wake>) {
    while !wakes.is_closed() {
        if let Err(error) = listen_once(&store, &wakes).await {
            tracing::warn!(error = %error, "the listening connection is gone; polling until it is back");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn listen_once(
    store: &Store,
    wakes: &mpsc::Sender<Wake>,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = store.config().connect(NoTls).await?;
    let mut messages =
        futures_util::stream::poll_fn(move |context| connection.poll_message(context));
    // The connection makes progress only while it is polled, so both run side by side.
    let subscribe = client.batch_execute("listen lockstep_committed; listen lockstep_announced");
    tokio::pin!(subscribe);
    let mut subscribed = false;
    loop {
        tokio::select! {
            result = &mut subscribe, if !subscribed => {
                result?;
                subscribed = true;
                let _ = wakes.send(Wake::Reconnected).await;
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(note))) => {
                    let wake = match note.channel() {
                        "lockstep_committed" => Wake::Committed,
                        _ => Wake::Announced,
                    };
                    if wakes.send(wake).await.is_err() {
                        return Ok(());
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            () = wakes.closed() => return Ok(()),
        }
    }
}
