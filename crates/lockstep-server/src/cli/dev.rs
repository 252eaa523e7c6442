//! `lockstep dev`: the whole index on one machine with nothing to configure.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use lockstep_store::{Store, tokens};
use secrecy::SecretString;
use tokio::runtime::Runtime;

use super::print;
use crate::app::App;
use crate::postgres::{Durability, PrivatePostgres};
use crate::serve::{self, Signals};
use crate::settings::{AnnounceSettings, CacheSettings, LimitSettings, Settings, UploadSettings};
use crate::token;

#[derive(Debug, Args)]
pub(super) struct DevArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where database and files are kept
    #[arg(long, value_name = "DIR", default_value = "/var/lib/lockstep-dev")]
    data: PathBuf,
    /// The upload token, instead of a new one for each start
    #[arg(long, value_name = "VALUE", value_parser = well_formed)]
    token: Option<String>,
}

fn well_formed(text: &str) -> Result<String, String> {
    if text.starts_with("lsk_") && text.len() > 4 {
        Ok(text.to_owned())
    } else {
        Err("a token begins with lsk_".to_owned())
    }
}

pub(super) fn run(runtime: &Runtime, args: DevArgs) -> anyhow::Result<()> {
    use anyhow::Context as _;
    std::fs::create_dir_all(&args.data).with_context(|| {
        format!(
            "can't create {}; choose another folder with --data",
            args.data.display()
        )
    })?;
    let data = std::path::absolute(&args.data)?;
    let signals = {
        let _entered = runtime.enter();
        Signals::install()?
    };
    tracing::info!(folder = %data.display(), "starting the private PostgreSQL");
    let postgres = PrivatePostgres::start(&data, Durability::Safe)?;
    let served = runtime.block_on(serve_on(&postgres, &args, &data, signals));
    postgres.stop()?;
    served
}

async fn serve_on(
    postgres: &PrivatePostgres,
    args: &DevArgs,
    data: &std::path::Path,
    signals: Signals,
) -> anyhow::Result<()> {
    // The private cluster is ours alone, so its first database will do.
    let database_url = postgres.url("postgres");
    let store = Store::new(&database_url, 2)?;
    lockstep_store::migrate::run(&store).await?;
    let secret = args.token.clone().unwrap_or_else(token::new_secret);
    let scopes = ["upload", "manage", "operate", "read"].map(str::to_owned);
    let connection = store.connection().await?;
    tokens::replace(&connection, "dev", token::hash(&secret), &scopes).await?;
    drop(connection);
    let listener = serve::listen(args.listen).await?;
    let listen = listener.local_addr()?;
    let url = format!("http://{listen}");
    let app = App::start(Settings {
        listen,
        public_url: url.clone(),
        database_url: SecretString::from(database_url),
        blobs: format!("file://{}", data.join("blobs").display()),
        files_url: String::new(),
        retention: std::time::Duration::from_secs(30 * 24 * 3600),
        trusted_proxies: Vec::new(),
        limits: LimitSettings::default(),
        upload: UploadSettings::default(),
        announce: AnnounceSettings::default(),
        cache: CacheSettings::default(),
        cdn: Vec::new(),
        probe: Vec::new(),
    })
    .await?;
    print(&format!(
        "index:      {url}/simple/\n\
         upload:     twine upload --repository-url {url}/legacy/ -u __token__ -p {secret} dist/*\n\
         changelog:  {url}/changelog/\n\
         web page:   {url}/\n"
    ))?;
    serve::run(app, Some(listener), None, signals).await
}
