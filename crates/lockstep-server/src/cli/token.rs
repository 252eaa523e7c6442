//! `lockstep token`: create, list, revoke.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};
use lockstep_store::{Store, StoreError, tokens};

use super::print;
use crate::token::{self, Scope};

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Create a token and print it, once
    Create {
        /// What to call it
        #[arg(long)]
        name: String,
        /// What it allows: upload, upload:PROJECT, manage, operate, read; several times for several
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<Scope>,
        /// When it ends, such as 90d; never by default
        #[arg(long, value_parser = humantime::parse_duration)]
        expires: Option<Duration>,
    },
    /// List all tokens; their secrets are not kept
    List,
    /// Revoke a token for good
    Revoke {
        /// Its name
        name: String,
    },
}

pub(super) async fn run(store: &Store, command: TokenCommand) -> anyhow::Result<()> {
    match command {
        TokenCommand::Create {
            name,
            scopes,
            expires,
        } => create(store, &name, &scopes, expires).await,
        TokenCommand::List => list(store).await,
        TokenCommand::Revoke { name } => {
            let connection = store.connection().await?;
            if !tokens::revoke(&connection, &name).await? {
                bail!("there is no valid token named `{name}`; see `lockstep token list`");
            }
            Ok(())
        }
    }
}

async fn create(
    store: &Store,
    name: &str,
    scopes: &[Scope],
    expires: Option<Duration>,
) -> anyhow::Result<()> {
    let secret = token::new_secret();
    let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    let expires_at = expires.map(expiry).transpose()?;
    let connection = store.connection().await?;
    match tokens::create(&connection, name, token::hash(&secret), &scopes, expires_at).await {
        Ok(()) => print(&format!("{secret}\n")),
        Err(StoreError::Conflict(constraint)) if constraint == tokens::NAME_TAKEN => {
            bail!("there is a token named `{name}` already, maybe a revoked one; choose another")
        }
        Err(error) => Err(error.into()),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a token's end is counted from"
)]
fn expiry(after: Duration) -> anyhow::Result<Timestamp> {
    let after = SignedDuration::try_from(after)?;
    Timestamp::now()
        .checked_add(after)
        .context("that is too far in the future")
}

async fn list(store: &Store) -> anyhow::Result<()> {
    let connection = store.connection().await?;
    print("NAME\tSCOPES\tCREATED\tEXPIRES\tREVOKED\tLAST USED\n")?;
    for token in tokens::list(&connection).await? {
        let time = |time: Option<Timestamp>| {
            time.map_or_else(
                || "-".to_owned(),
                |time| time.strftime("%Y-%m-%dT%H:%MZ").to_string(),
            )
        };
        print(&format!(
            "{}\t{}\t{}\t{}\t{}\t{}\n",
            token.name,
            token.scopes.join(","),
            time(Some(token.created_at)),
            time(token.expires_at),
            time(token.revoked_at),
            time(token.last_used_at),
        ))?;
    }
    Ok(())
}
