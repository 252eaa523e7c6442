//! The command line: one binary, `lockstep`.
//!
//! Data go to stdout; logs and errors to stderr, an error with its reason and a remedy. Exit code 0:
//! success, 1: failed, 2: wrong usage.

mod advance_serial;
mod audit;
mod dev;
mod fsck;
mod manage;
mod purge;
mod token;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use lockstep_store::Store;
use secrecy::ExposeSecret as _;
use tracing_subscriber::EnvFilter;

use crate::app::App;
use crate::serve::{self, Part, Signals};
use crate::settings::{self, Settings};

/// A Python package index whose changelog, simple pages and CDN never drift apart.
#[derive(Debug, Parser)]
#[command(name = "lockstep", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole index on this machine with nothing to configure: private PostgreSQL, token, files
    Dev(dev::DevArgs),
    /// Run the production process: HTTP and the loops that purge and announce
    ///
    /// Runs no migrations, and refuses to start on a schema that is not current.
    Serve {
        #[command(flatten)]
        config: ConfigFile,
        /// Run only one half, to split them over processes
        #[arg(long, value_enum)]
        only: Option<Part>,
    },
    /// Bring the database schema up; safe when several run at once
    Migrate(ConfigFile),
    /// Create, list and revoke access tokens
    Token {
        #[command(flatten)]
        config: ConfigFile,
        #[command(subcommand)]
        command: token::TokenCommand,
    },
    /// Yank a release, so that installers choose it only when pinned; or take that back
    ///
    /// All files of the release show it, those of later uploads too. Prints the change's serial and the
    /// hash of the page; a release that is yanked so already is left alone.
    Yank(manage::YankArgs),
    /// Remove a file, a release, or a whole project for good
    ///
    /// Asks nothing. File names are never given again; a project's name is free for a new upload.
    /// Prints what was removed, the change's serial and the hash of the page.
    Remove(manage::RemoveArgs),
    /// Set a project's status: active, archived, quarantined or deprecated
    ///
    /// Archived: uploads are refused. Quarantined: likewise, and the project shows no files and is not
    /// listed, until it gets another status. Prints the change's serial and the hash of the page.
    Status(manage::StatusArgs),
    /// Queue purges again, of projects or of everything that has changed after a serial
    ///
    /// For an edge that lost purges, or came back with an old cache. The processes that run the loops
    /// make them: each CDN purges twice, each probe looks. Nothing newer is announced meanwhile.
    Purge(purge::PurgeArgs),
    /// Print the effective settings, secrets hidden
    Config(ConfigFile),
    /// After a restore from an older backup: give up the serials that were announced and are lost
    ///
    /// Fills them with rows that say so, so that none is ever given twice, and tells every project anew
    /// beyond them, so that every mirror looks again. Killed, the same command goes on.
    AdvanceSerial(ConfigFile),
    /// Re-render every page, compare it with the changelog, and check every file's bytes
    ///
    /// One line on stdout per finding; exit code 1 when there is any.
    Fsck(ConfigFile),
    /// Compare a CDN edge, a mirror, or a mirror's folder with the changelog of an index
    ///
    /// Needs no settings and no database. One line on stdout per finding; exit code 1 when anything
    /// is older than, or different from, what was announced. No finding: a file or project that a
    /// mirror keeps although the index removed it, and a yank's reason that a mirror leaves out.
    Audit(audit::AuditArgs),
}

/// Where the settings are.
#[derive(Debug, Args)]
struct ConfigFile {
    /// The settings' TOML file; LOCKSTEP__… variables override it
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        env = "LOCKSTEP_CONFIG",
        default_value = "/etc/lockstep/lockstep.toml"
    )]
    config: PathBuf,
}

impl ConfigFile {
    fn load(&self) -> anyhow::Result<Settings> {
        Ok(settings::load(&self.config)?)
    }
}

/// Parses the command line and runs it.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // Progress and logs both go to stderr; RUST_LOG chooses what is logged.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        EnvFilter::new("info,tower_http=warn,refinery_core=warn,tokio_postgres=warn")
    });
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Colours are for a terminal; in a file they are noise.
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match &cli.command {
        // In production machines read the log.
        Command::Serve { .. } => log.json().flatten_event(true).init(),
        _ => log.compact().with_target(false).init(),
    }
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "lockstep: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match command {
        Command::Dev(args) => dev::run(&runtime, args)?,
        Command::Serve { config, only } => {
            let settings = config.load()?;
            runtime.block_on(run_serve(settings, only))?;
        }
        Command::Migrate(config) => runtime.block_on(migrate(&config.load()?))?,
        Command::Token { config, command } => {
            let settings = config.load()?;
            runtime.block_on(async { token::run(&store(&settings)?, command).await })?;
        }
        Command::Yank(args) => runtime.block_on(manage::yank(args))?,
        Command::Remove(args) => runtime.block_on(manage::remove(args))?,
        Command::Status(args) => runtime.block_on(manage::status(args))?,
        Command::Purge(args) => runtime.block_on(purge::run(args))?,
        Command::Config(config) => print(&config.load()?.to_toml()?)?,
        Command::AdvanceSerial(config) => {
            runtime.block_on(advance_serial::run(&config.load()?))?;
        }
        Command::Fsck(config) => {
            let settings = config.load()?;
            let findings = runtime.block_on(fsck::run(&settings))?;
            return Ok(if findings == 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        Command::Audit(args) => return runtime.block_on(audit::run(args)),
    }
    Ok(ExitCode::SUCCESS)
}

async fn run_serve(settings: Settings, only: Option<Part>) -> anyhow::Result<()> {
    let signals = Signals::install()?;
    // A port that is open is a process that can answer.
    let app = App::start(settings).await?;
    let listener = match only {
        Some(Part::Loops) => None,
        _ => Some(serve::listen(app.settings.listen).await?),
    };
    serve::run(app, listener, only, signals).await
}

/// A pool for a command that needs one connection at a time.
fn store(settings: &Settings) -> anyhow::Result<Store> {
    Ok(Store::new(settings.database_url.expose_secret(), 4)?)
}

async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    let applied = lockstep_store::migrate::run(&store(settings)?).await?;
    let newest = lockstep_store::migrate::newest();
    print(&format!(
        "{applied} migrations applied; the schema is at version {newest}\n"
    ))
}

/// To stdout, which is for data alone.
fn print(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}
