//! What a look means: fresh, stale, or not ours at all.
//!
//! Judged by the bytes, never by headers: a page is fresh when it hashes to the row's page, or ends
//! with a newer serial and hashes to *that* row's page. Another site is never taken for fresh.

use lockstep_cdn::probe::{ProbeError, Sight};
use lockstep_core::digest::Sha256;
use lockstep_core::page::Form;
use lockstep_store::verifications::{self, ClaimedLook};
use lockstep_store::{Client, StoreError, pages};

/// What all variants together mean; the worst one counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This page or a newer one, in every variant.
    Fresh,
    /// An older page of ours.
    Stale(String),
    /// Nothing that we ever rendered.
    Different(String),
    /// Nothing to judge: the probe is down.
    Unknown(String),
}

/// Judges what was seen against what the row says.
pub(super) async fn of(
    client: &impl Client,
    row: &ClaimedLook,
    sights: &[(Form, Result<Sight, ProbeError>)],
) -> Result<Verdict, StoreError> {
    let mut worst = Verdict::Fresh;
    for (form, sight) in sights {
        let verdict = match sight {
            Err(error) => Verdict::Unknown(error.to_string()),
            Ok(Sight::Nothing) => nothing(client, row).await?,
            Ok(Sight::Page(hash, serial)) => page(client, row, *form, *hash, *serial).await?,
        };
        if rank(&verdict) > rank(&worst) {
            worst = verdict;
        }
    }
    Ok(worst)
}

/// Stale before unknown: a stale variant must be purged even if another one can't be read.
fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Fresh => 0,
        Verdict::Unknown(_) => 1,
        Verdict::Stale(_) => 2,
        Verdict::Different(_) => 3,
    }
}

async fn page(
    client: &impl Client,
    row: &ClaimedLook,
    form: Form,
    hash: Sha256,
    serial: Option<lockstep_core::serial::Serial>,
) -> Result<Verdict, StoreError> {
    let of_form = |(html, json): (Sha256, Sha256)| match form {
        Form::Html => html,
        Form::Json => json,
    };
    if row.hashes.map(of_form) == Some(hash) {
        return Ok(Verdict::Fresh);
    }
    let Some(serial) = serial else {
        let text = format!("{form:?} {hash} does not end like a page of this index");
        return Ok(Verdict::Different(text));
    };
    // Whatever serial it claims, only the hash of that serial's row can prove it ours.
    let ours = verifications::page_at(client, &row.project, serial)
        .await?
        .map(of_form);
    Ok(if ours != Some(hash) {
        Verdict::Different(format!(
            "{form:?} {hash} is not this index's page at serial {serial}"
        ))
    } else if serial > row.serial {
        Verdict::Fresh
    } else {
        Verdict::Stale(format!("{form:?} at serial {serial}"))
    })
}

/// A 404 is right for a project that is gone, by this row or by a newer one.
async fn nothing(client: &impl Client, row: &ClaimedLook) -> Result<Verdict, StoreError> {
    if row.hashes.is_none() {
        return Ok(Verdict::Fresh);
    }
    let current = pages::current(client, &row.project).await?;
    let gone_since = current.is_some_and(|page| page.hashes.is_none() && page.serial > row.serial);
    Ok(if gone_since {
        Verdict::Fresh
    } else {
        Verdict::Stale("404".to_owned())
    })
}
