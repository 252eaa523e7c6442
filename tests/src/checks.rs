//! What must be true of an index whenever it has come to rest, whatever happened to it before.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use lockstep_core::digest::Sha256;
use serde_json::Value;

use crate::index::TestIndex;
use crate::reader::{JSON, Reader};

/// Projects, by normalized name, with the files they must show: file names and their SHA-256.
pub type Expected = BTreeMap<String, BTreeMap<String, String>>;

/// Settles `index` and checks it from end to end: exactly the `expected` files are shown, each once
/// and with its bytes; serials are dense; everything is announced; every page in the changelog is
/// there under its hash; `fsck` finds nothing.
pub async fn whole(index: &TestIndex, expected: &Expected) -> anyhow::Result<()> {
    index.settle()?;
    index.fsck()?;
    let dense = "select count(*) = coalesce(max(serial), 0) from changelog";
    ensure!(index.database().query(dense)? == "t", "serials have gaps");
    let reader = Reader::new()?;
    let state = reader.state(&index.url()).await?;
    ensure!(
        state["announced-serial"] == state["committed-serial"],
        "left behind: {state}"
    );
    for (project, files) in expected {
        let shown = files_shown(&reader, &index.url(), project).await?;
        ensure!(shown == *files, "{project} shows {shown:?}, not {files:?}");
    }
    pages_by_hash(&reader, index).await
}

/// The files of a page with their hashes; that none is shown twice; and that the bytes are served.
pub async fn files_shown(
    reader: &Reader,
    base: &str,
    project: &str,
) -> anyhow::Result<BTreeMap<String, String>> {
    let url = format!("{base}/simple/{project}/");
    let page = reader.variant(&url, (JSON, false)).await?.json()?;
    let mut shown = BTreeMap::new();
    for file in page["files"].as_array().context("no files")? {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (name, sha256) = (text(&file["filename"]), text(&file["hashes"]["sha256"]));
        let address = reqwest::Url::parse(&url)?.join(&text(&file["url"]))?;
        // The page may name the public address; the bytes are asked of who showed the page.
        let bytes = reader
            .get(&format!("{base}{}", address.path()))
            .await?
            .bytes;
        ensure!(
            Sha256::of(&bytes).to_string() == sha256,
            "{name} is not what {project} says"
        );
        ensure!(
            shown.insert(name.clone(), sha256).is_none(),
            "{name} is shown twice"
        );
    }
    Ok(shown)
}

/// Each page of the changelog, fetched by its hash, has this hash.
async fn pages_by_hash(reader: &Reader, index: &TestIndex) -> anyhow::Result<()> {
    for row in reader.changelog(&index.url()).await? {
        // The project was gone.
        if row["page"].is_null() {
            continue;
        }
        for form in ["html", "json"] {
            let (hash, url) = (&row["page"][form]["sha256"], &row["page"][form]["url"]);
            let url = format!("{}{}", index.url(), url.as_str().context("no page")?);
            let page = reader.get(&url).await?;
            ensure!(
                page.status == 200 && page.hash() == *hash,
                "{form} of {row}: {url}"
            );
        }
    }
    Ok(())
}
