//! Which page of a project is current: fresh, and nearly always from memory (promise P4).
//!
//! Memory alone is never believed. A request is answered from it once the database has confirmed,
//! by a query that *began after the request came in*, how far the index is, and what is new has been
//! noted. One such confirmation serves every request that waits when it begins; requests that come
//! while it is out wait for the next one. So freshness costs one tiny query a batch, not one a request.
//!
//! Why that is right:
//!
//! 1. What a project shows changes only in a transaction that takes a serial and writes a changelog row
//!    with the project's name in it (`changelog/append`). Serials are dense and in commit order
//!    (promise P1), so whoever knows a project as of serial S, and all rows after S, knows it now.
//! 2. Invariant of [`Memory`]: each fact is its project's as of `mark` or later. [`Memory::note`] keeps
//!    it for all facts when it moves `mark`; [`Memory::keep`] takes in only what was read at `mark` or
//!    later. Both hold the lock meanwhile.
//! 3. A confirmation is one statement on the primary. It sees each commit that was acknowledged before
//!    it began, hence each that was acknowledged before the request came in. When it is done, `mark` is
//!    at least that far, and by 2 so is each fact.
//! 4. NOTIFY only makes the news smaller that a reader waits for ([`Fresh::nudge`]). When it is lost,
//!    late, or of a database that is gone, nothing is wrong, only slower.
//! 5. A database that was restored has other rows at the same serials. The confirmation compares the
//!    time of the last row known; when it differs, all is forgotten. Facts that are on their way into
//!    memory then go into the memory that was given up.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
use lockstep_store::fresh::{self, Mark, News};
use lockstep_store::pages::CurrentPage;
use lockstep_store::{Store, StoreError};
use moka::sync::Cache;
use tokio::sync::{mpsc, oneshot};

use crate::fault;
use crate::metrics::Metrics;

/// What is new in so many serials is noted one by one; after more, memory begins anew.
const MOST_NEWS: u32 = 1000;
/// How long readers wait for a confirmation before they are told to come back.
const PATIENCE: Duration = Duration::from_secs(5);
/// Readers in one batch; more wait for the next.
const BATCH: usize = 1024;
/// How many bytes of facts a process keeps, and what one costs beside its name.
const CAPACITY: u64 = 32 * 1024 * 1024;
const FACT: usize = 300;

/// A project's page; `None`: the name was never used. Both are facts that a commit can change.
type Fact = Option<CurrentPage>;
type Facts = Cache<NormalizedName, Fact>;
/// Shared by all who waited for the same query.
type Confirmed = Result<(), Arc<StoreError>>;

/// Answers which page is current. Cheap to clone.
#[derive(Clone)]
pub struct Fresh {
    store: Store,
    memory: Arc<Memory>,
    waiting: mpsc::Sender<oneshot::Sender<Confirmed>>,
    metrics: Arc<Metrics>,
}

impl Fresh {
    /// Starts the task that asks on behalf of all readers. It ends with the last clone.
    pub fn start(store: Store, metrics: Arc<Metrics>) -> Self {
        let memory = Arc::new(Memory::default());
        let (waiting, readers) = mpsc::channel(BATCH);
        tokio::spawn(confirm_in_batches(
            store.clone(),
            memory.clone(),
            metrics.clone(),
            readers,
        ));
        Self {
            store,
            memory,
            waiting,
            metrics,
        }
    }

    /// A project's page; it shows every commit that was acknowledged before this was called. `None`: the
    /// name was never used. An error: that can't be known now, and nothing older may be shown.
    pub async fn current(
        &self,
        project: &NormalizedName,
    ) -> Result<Option<CurrentPage>, Arc<StoreError>> {
        // Not known, not worth a confirmation: looking it up is as fresh.
        if self.memory.fact(project).is_some() && !fault::left_out("fresh.memory") {
            if !fault::left_out("fresh.confirm") {
                self.confirm().await?;
            }
            // It may have had to make room meanwhile.
            if let Some(fact) = self.memory.fact(project) {
                self.metrics.read_from_memory.inc();
                return Ok(fact);
            }
        }
        self.look_up(project).await.map_err(Arc::new)
    }

    /// Something was committed: note it now, and the next reader's confirmation brings no news.
    pub fn nudge(&self) {
        let (nobody, _) = oneshot::channel();
        // No room: a confirmation is due anyway.
        let _ = self.waiting.try_send(nobody);
    }

    /// Returns when a query that began after this call has been noted.
    async fn confirm(&self) -> Confirmed {
        let (sender, confirmed) = oneshot::channel();
        self.waiting.send(sender).await.map_err(|_| ended())?;
        confirmed.await.map_err(|_| ended())?
    }

    async fn look_up(&self, project: &NormalizedName) -> Result<Fact, StoreError> {
        // Whose memory this belongs to is decided before the question is put (5).
        let facts = self.memory.facts();
        let connection = self.store.connection().await?;
        let (fact, read_at) = fresh::project(&connection, project).await?;
        self.memory.keep(&facts, project, fact, read_at);
        self.metrics.read_lookups.inc();
        Ok(fact)
    }
}

fn ended() -> Arc<StoreError> {
    Arc::new(StoreError::Unavailable(
        "the task that confirms has ended".into(),
    ))
}

/// Asks once for everybody who waits, then for everybody who came meanwhile.
async fn confirm_in_batches(
    store: Store,
    memory: Arc<Memory>,
    metrics: Arc<Metrics>,
    mut readers: mpsc::Receiver<oneshot::Sender<Confirmed>>,
) {
    let mut batch = Vec::new();
    while readers.recv_many(&mut batch, BATCH).await > 0 {
        // From here on: whoever is in the batch came before the query began.
        let asked = tokio::time::timeout(PATIENCE, ask(&store, &memory)).await;
        metrics.read_confirmations.inc();
        let confirmed = asked
            .unwrap_or_else(|late| Err(StoreError::Unavailable(Box::new(late))))
            .map_err(Arc::new);
        for reader in batch.drain(..) {
            // Who hung up does not hear it.
            let _ = reader.send(confirmed.clone());
        }
    }
}

/// One confirmation. Only this task moves the mark, so it stands still while the query is out.
async fn ask(store: &Store, memory: &Memory) -> Result<(), StoreError> {
    let connection = store.connection().await?;
    let news = fresh::since(&connection, memory.mark(), MOST_NEWS).await?;
    memory.note(news);
    Ok(())
}

/// What is known, and up to where.
struct Memory(Mutex<Known>);

struct Known {
    mark: Mark,
    facts: Facts,
}

impl Default for Memory {
    fn default() -> Self {
        let mark = Mark {
            serial: Serial::ZERO,
            at: None,
        };
        let facts = empty();
        Self(Mutex::new(Known { mark, facts }))
    }
}

/// Bounded in bytes: names that nobody ever uploads are as long as their asker likes.
fn empty() -> Facts {
    let weigher = |name: &NormalizedName, _: &Fact| {
        u32::try_from(name.as_str().len() + FACT).unwrap_or(u32::MAX)
    };
    let builder = Cache::builder().max_capacity(CAPACITY);
    builder.weigher(weigher).build()
}

impl Memory {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // Nothing in here panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self) -> Mark {
        self.known().mark
    }

    fn facts(&self) -> Facts {
        self.known().facts.clone()
    }

    fn fact(&self, project: &NormalizedName) -> Option<Fact> {
        self.facts().get(project)
    }

    /// Moves the mark. What is known of a project that changed is replaced: as of the new mark. What is
    /// not known is not taken in: nobody asked for it.
    fn note(&self, news: News) {
        let mut known = self.known();
        match news.changed {
            Some(changed) => {
                for (project, page) in changed {
                    if known.facts.contains_key(&project) {
                        known.facts.insert(project, Some(page));
                    }
                }
            }
            // A new one, not an emptied one: facts on their way go into the old.
            None => known.facts = empty(),
        }
        known.mark = news.mark;
    }

    /// Keeps a fact that was read at a serial, unless the mark has passed that meanwhile: then a row
    /// between the two may speak of this project, and has been noted already.
    fn keep(&self, facts: &Facts, project: &NormalizedName, fact: Fact, read_at: Serial) {
        let known = self.known();
        if read_at >= known.mark.serial {
            facts.insert(project.clone(), fact);
        }
    }
}

#[cfg(test)]
mod tests;
