//! Whose turn it is: work of which a process does only so much at a time.
//!
//! Not here: how often somebody may ask. Invariant: nobody holds a turn while waiting for a stranger
//! who has shown no token.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;
use crate::settings::Settings;

/// Held while the work is done.
pub(crate) type Turn = OwnedSemaphorePermit;

/// The turns of one process.
pub struct Turns {
    uploads: Arc<Semaphore>,
    bulk_reads: Arc<Semaphore>,
    most_uploads: usize,
    upload_wait: Duration,
}

/// How long a read of the whole index waits for its turn; as long as a request waits for a connection
/// to the database.
const BULK_WAIT: Duration = Duration::from_secs(5);

impl Turns {
    /// As many as the settings say.
    pub fn new(settings: &Settings) -> Self {
        let upload = &settings.upload;
        Self {
            uploads: Arc::new(Semaphore::new(upload.max_concurrent)),
            bulk_reads: Arc::new(Semaphore::new(settings.limits.max_bulk_reads)),
            most_uploads: upload.max_concurrent,
            upload_wait: upload.max_wait,
        }
    }

    /// An upload's turn; its body is not read before.
    pub(crate) async fn upload(&self) -> Result<Turn, ApiError> {
        waited(&self.uploads, self.upload_wait)
            .await
            .ok_or_else(|| {
                let most = self.most_uploads;
                let message =
                    format!("{most} uploads are being taken already; try again in a while.");
                ApiError::unavailable("too-many-uploads", message).retry_after(5)
            })
    }

    /// A turn to read what grows with the index.
    pub(crate) async fn bulk_read(&self) -> Result<Turn, ApiError> {
        waited(&self.bulk_reads, BULK_WAIT).await.ok_or_else(|| {
            let message =
                "The whole index is being read by too many at a time; try again in a while.";
            ApiError::unavailable("too-many-bulk-reads", message).retry_after(5)
        })
    }
}

/// `None` when it took too long. Who comes first is first.
async fn waited(turns: &Arc<Semaphore>, most: Duration) -> Option<Turn> {
    let turn = turns.clone().acquire_owned();
    tokio::time::timeout(most, turn).await.ok()?.ok()
}
