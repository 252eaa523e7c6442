//! A server whose database is away: what strangers send is read, held against the rules and answered by
//! the very handlers; what would need the database is answered with 503.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use lockstep_core::page::FileLinks;
use lockstep_core::serial::Serial;
use lockstep_server::app::App;
use lockstep_server::blobs::Blobs;
use lockstep_server::login::Throttle;
use lockstep_server::metrics::Metrics;
use lockstep_server::read::cache::PageCache;
use lockstep_server::read::fresh::Fresh;
use lockstep_server::settings::Settings;
use lockstep_server::turns::Turns;
use lockstep_store::Store;
use lockstep_store::identity::Identity;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// One a process: to be made takes longer than an input may.
pub(crate) struct Server {
    /// Its state.
    pub(crate) app: App,
    /// Where its handlers run.
    pub(crate) runtime: Runtime,
    folder: TempDir,
}

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

/// The server.
pub(crate) fn server() -> &'static Server {
    &SERVER
}

impl Server {
    fn start() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let folder = folder();
        let settings = settings(folder.path());
        let inside = runtime.enter();
        let store = Store::new("host=/nonexistent user=nobody", 1).expect("a pool");
        let metrics = Arc::<Metrics>::default();
        let app = App {
            blobs: Blobs::open(&settings.blobs).expect("a folder"),
            turns: Arc::new(Turns::new(&settings)),
            throttle: Arc::new(Throttle::new(settings.limits.failed_logins)),
            settings: Arc::new(settings),
            identity: Arc::new(Identity {
                index_id: Uuid::nil(),
                links: FileLinks::Relative,
            }),
            cdns: Arc::default(),
            probes: Arc::default(),
            edge_checks: Arc::default(),
            fresh: Fresh::start(store.clone(), metrics.clone()),
            store,
            metrics,
            high_water: Arc::new(Mutex::new(Serial::ZERO)),
            pages: PageCache::default(),
            wakes: Arc::default(),
            shutdown: CancellationToken::new(),
            doom: Arc::default(),
        };
        drop(inside);
        Self {
            app,
            runtime,
            folder,
        }
    }

    /// Where uploads are spooled and archives are put to be read.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// In memory where that is possible: thousands of files a second.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir());
    made.expect("a temporary folder")
}

/// The limits are small, so that an input that grows to them does it in a moment.
fn settings(folder: &Path) -> Settings {
    let settings = serde_json::json!({
        "public_url": "http://localhost",
        "database_url": "",
        "blobs": format!("file://{}", folder.display()),
        "upload": {
            "max_file_size": "1 MiB",
            "max_members": 200,
            "max_unpacked_size": "4 MiB",
        },
    });
    serde_json::from_value(settings).expect("settings")
}
