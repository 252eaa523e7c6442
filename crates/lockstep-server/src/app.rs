//! What every handler and loop of one process shares.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lockstep_cdn::edge_check::{EdgeCheck, EdgeCheckSettings};
use lockstep_cdn::probe::Probe;
use lockstep_cdn::{Client, Fastly, FastlySettings, Target, Varnish, VarnishSettings};
use lockstep_core::serial::Serial;
use lockstep_store::identity::{self, Identity};
use lockstep_store::verifications::{self, ProbeRow};
use lockstep_store::{Connection, Health, Store, StoreError, watermarks};
use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::blobs::Blobs;
use crate::login::Throttle;
use crate::metrics::Metrics;
use crate::publish::restore;
use crate::read::cache::PageCache;
use crate::read::fresh::Fresh;
use crate::settings::{CdnSettings, ProbeKind, Settings, default_fastly_api};
use crate::turns::Turns;
use crate::wake::Wakes;

/// Connections to the database per process: those of requests …
const CONNECTIONS: usize = 32;
/// … and those of the loops, which requests that all wait for something can't take.
const LOOP_CONNECTIONS: usize = 8;

/// A second pass that comes later than this is later than any page that was in flight at the first: the
/// shipped rules keep none that took longer than 1 s to arrive, and purges differ by less than the rest.
const SURE: Duration = Duration::from_millis(1500);

/// A purge target with what the settings say about it.
#[derive(Clone)]
pub struct Cdn {
    /// How it is called.
    pub target: Target,
    /// Its settings.
    pub settings: CdnSettings,
}

/// One process's share of the index. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The settings it was started with.
    pub settings: Arc<Settings>,
    /// The database.
    pub store: Store,
    /// The files.
    pub blobs: Blobs,
    /// Who this index is.
    pub identity: Arc<Identity>,
    /// The CDNs that must acknowledge.
    pub cdns: Arc<Vec<Cdn>>,
    /// Where "verify" reads back.
    pub probes: Arc<Vec<Probe>>,
    /// Where "verify" asks what every point of presence holds, of a sample.
    pub edge_checks: Arc<Vec<EdgeCheck>>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Up to where announcements are noted outside the database.
    pub high_water: Arc<Mutex<Serial>>,
    /// Which page of a project is current.
    pub fresh: Fresh,
    /// Immutable bytes, by hash.
    pub pages: PageCache,
    /// Who wakes whom.
    pub wakes: Arc<Wakes>,
    /// What is done only so often at a time.
    pub turns: Arc<Turns>,
    /// Failed log-ins.
    pub throttle: Arc<Throttle>,
    /// Cancelled when the process is to end: loops and waiting requests look at it.
    pub shutdown: CancellationToken,
    /// Why it ends although nobody asked it to.
    pub doom: Arc<OnceLock<String>>,
}

impl App {
    /// Connects everything and refuses to start on a schema that is not current.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        use anyhow::{Context as _, bail};
        use secrecy::ExposeSecret as _;
        let url = settings.database_url.expose_secret();
        let store = Store::with_query_timeout(url, CONNECTIONS, settings.limits.query_timeout)?;
        let health = store.health().await.context(
            "the database can't be reached; check `database_url` and that PostgreSQL is running",
        )?;
        if let Health::WrongSchema(remedy) = health {
            bail!("{remedy}");
        }
        let blobs = Blobs::open(&settings.blobs)?;
        blobs
            .tidy_spool()
            .context("the spool of unfinished uploads can't be tidied")?;
        let mut connection = store.connection().await?;
        for cdn in &settings.cdn {
            if cdn.second_pass_after() < SURE {
                tracing::warn!(
                    cdn = cdn.name(),
                    "`second_pass_after` is shorter than {} ms: a page that was on its way to a cache \
                     when it was replaced may outlive both passes, and only a probe would find it",
                    SURE.as_millis()
                );
            }
        }
        let links = settings.file_links();
        let identity = identity::establish(&connection, &links).await?;
        if identity.links != links {
            bail!(
                "`files_url` is `{}`, but the pages of this index were rendered with `{}`: it is \
                 part of every page's hash and can't change; set it back",
                settings.files_url,
                match &identity.links {
                    lockstep_core::page::FileLinks::Relative => "",
                    lockstep_core::page::FileLinks::At(base) => base,
                },
            );
        }
        let client = lockstep_cdn::client();
        let high_water = check_high_water(&connection, &blobs).await?;
        let left = restore::left(&store).await?;
        if left > 0 {
            bail!(
                "lost serials were given up, but {left} projects were not told anew since: mirrors \
                 could keep what was lost. Run `lockstep advance-serial --config FILE` again; it goes \
                 on where it was cut off"
            );
        }
        let cdns = cdns(&settings, &client)?;
        let (probes, edge_checks) = probes(&settings, &client)?;
        establish(&mut connection, &settings).await?;
        drop(connection);
        let metrics = Arc::<Metrics>::default();
        let fresh = Fresh::start(store.clone(), metrics.clone());
        Ok(Self {
            turns: Arc::new(Turns::new(&settings)),
            throttle: Arc::new(Throttle::new(settings.limits.failed_logins)),
            settings: Arc::new(settings),
            store,
            blobs,
            identity: Arc::new(identity),
            cdns: Arc::new(cdns),
            probes: Arc::new(probes),
            edge_checks: Arc::new(edge_checks),
            metrics,
            fresh,
            high_water: Arc::new(Mutex::new(high_water)),
            pages: PageCache::default(),
            wakes: Arc::default(),
            shutdown: CancellationToken::new(),
            doom: Arc::default(),
        })
    }

    /// Ends the process as by a signal, but as a failure: going on would make something untrue.
    pub fn stop_because(&self, reason: String) {
        let _ = self.doom.set(reason);
        self.shutdown.cancel();
    }

    /// The same for the loops: with connections of their own, and the time that a statement may take
    /// when nobody waits for it.
    pub fn for_loops(&self) -> Result<Self, StoreError> {
        use secrecy::ExposeSecret as _;
        let url = self.settings.database_url.expose_secret();
        Ok(Self {
            store: Store::new(url, LOOP_CONNECTIONS)?,
            ..self.clone()
        })
    }
}

/// Up to where announcements are noted beside the blobs; an error when this database ends before
/// that, because it would give those serials out again.
pub(crate) async fn check_high_water(
    connection: &impl lockstep_store::Client,
    blobs: &Blobs,
) -> anyhow::Result<Serial> {
    let committed = watermarks::read(connection).await?.committed;
    let high_water = blobs.high_water().await?;
    if high_water > committed {
        anyhow::bail!("{}", older_backup(committed, high_water));
    }
    Ok(high_water)
}

/// What is wrong with a database that ends before what was announced, and what to do.
pub(crate) fn older_backup(committed: Serial, high_water: Serial) -> String {
    format!(
        "this database ends at serial {committed}, but serials up to {high_water} have been \
         announced: it was restored from an older backup. Restore a newer one, or run \
         `lockstep advance-serial --config FILE` to give up those serials for good"
    )
}

/// Makes the CDNs and probes of the settings those that every change from now on is owed to.
pub(crate) async fn establish(
    connection: &mut Connection,
    settings: &Settings,
) -> Result<(), StoreError> {
    let names: Vec<_> = settings
        .cdn
        .iter()
        .map(|cdn| (cdn.name().to_owned(), cdn.kind()))
        .collect();
    let transaction = lockstep_store::begin(connection).await?;
    for gone in lockstep_store::targets::establish(&transaction, &names).await? {
        tracing::warn!(
            cdn = gone,
            "no longer in the settings; what it owed is forgotten"
        );
    }
    // A look makes sense when the slowest CDN's purge must have arrived.
    let wait = settings
        .cdn
        .iter()
        .map(CdnSettings::propagation)
        .max()
        .unwrap_or_default();
    let rows: Vec<ProbeRow> = settings
        .probe
        .iter()
        .map(|probe| ProbeRow {
            name: probe.name.clone(),
            kind: probe.kind.as_str(),
            wait,
        })
        .collect();
    for gone in verifications::establish(&transaction, &rows).await? {
        tracing::warn!(
            probe = gone,
            "no longer in the settings; it holds nothing back any more"
        );
    }
    lockstep_store::commit(transaction).await
}

/// The probes that read pages, and those that ask Fastly.
fn probes(settings: &Settings, client: &Client) -> anyhow::Result<(Vec<Probe>, Vec<EdgeCheck>)> {
    let (mut readers, mut edge_checks) = (Vec::new(), Vec::new());
    for probe in settings.probe.clone() {
        let (name, client) = (probe.name.parse()?, client.clone());
        match probe.kind {
            ProbeKind::Http => readers.push(Probe::new(client, name, &probe.url)?),
            ProbeKind::FastlyEdgeCheck => {
                let settings = EdgeCheckSettings {
                    name,
                    url: probe.url,
                    token: probe.token.unwrap_or_default(),
                    api_url: probe.api_url.unwrap_or_else(default_fastly_api),
                };
                edge_checks.push(EdgeCheck::new(client, settings)?);
            }
        }
    }
    Ok((readers, edge_checks))
}

fn cdns(settings: &Settings, client: &Client) -> anyhow::Result<Vec<Cdn>> {
    settings
        .cdn
        .iter()
        .map(|settings| {
            let target = match settings.clone() {
                CdnSettings::Fastly {
                    name,
                    service_id,
                    token,
                    api_url,
                    soft,
                    ..
                } => {
                    let token = token.unwrap_or_else(|| SecretString::from(String::new()));
                    let name = name.parse()?;
                    let fastly = FastlySettings {
                        name,
                        service_id,
                        token,
                        api_url,
                        soft,
                    };
                    Target::Fastly(Fastly::new(client.clone(), fastly)?)
                }
                CdnSettings::Varnish { name, url, .. } => {
                    let varnish = VarnishSettings {
                        name: name.parse()?,
                        url,
                    };
                    Target::Varnish(Varnish::new(client.clone(), varnish)?)
                }
            };
            Ok(Cdn {
                target,
                settings: settings.clone(),
            })
        })
        .collect()
}
