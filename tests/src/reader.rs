//! Reads an index as clients do, origin or edge, and keeps what is needed to judge what came.

use std::io::Read as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use flate2::read::GzDecoder;
use lockstep_core::digest::Sha256;
use serde_json::Value;

use crate::index::{PATIENCE, TestIndex};

/// The media type of the JSON form of a page.
pub const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// Every stored variant of a page: media type, and whether gzip is taken.
pub const VARIANTS: [(&str, bool); 4] = [
    ("text/html", false),
    ("text/html", true),
    (JSON, false),
    (JSON, true),
];

/// An answer, its body decoded.
#[derive(Debug, Clone)]
pub struct Seen {
    /// HTTP status.
    pub status: u16,
    /// Header `x-pypi-last-serial`.
    pub serial: Option<u64>,
    /// Header `x-cache`: what an edge did.
    pub cache: Option<String>,
    /// The identity bytes.
    pub bytes: Vec<u8>,
}

impl Seen {
    /// What the identity bytes hash to.
    pub fn hash(&self) -> String {
        Sha256::of(&self.bytes).to_string()
    }

    /// The bytes as JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        ensure!(
            self.status == 200,
            "{}: {}",
            self.status,
            String::from_utf8_lossy(&self.bytes)
        );
        Ok(serde_json::from_slice(&self.bytes)?)
    }
}

/// A client that decodes nothing behind the test's back and knows no proxy.
#[derive(Debug, Clone)]
pub struct Reader(reqwest::Client);

impl Reader {
    /// A client with connections of its own.
    pub fn new() -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().no_gzip();
        Ok(Self(client.timeout(Duration::from_secs(30)).build()?))
    }

    /// Reads `url` as this variant.
    pub async fn variant(&self, url: &str, variant: (&str, bool)) -> anyhow::Result<Seen> {
        let (accept, gzip) = variant;
        let encoding = if gzip { "gzip" } else { "identity" };
        let request = self
            .0
            .get(url)
            .header("accept", accept)
            .header("accept-encoding", encoding);
        let response = request
            .send()
            .await
            .with_context(|| format!("no answer from {url}"))?;
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let coded = header("content-encoding").is_some_and(|coding| coding == "gzip");
        let status = response.status().as_u16();
        let serial = header("x-pypi-last-serial").and_then(|value| value.parse().ok());
        let cache = header("x-cache");
        let body = response.bytes().await?;
        let bytes = if coded {
            let mut plain = Vec::new();
            GzDecoder::new(&body[..]).read_to_end(&mut plain)?;
            plain
        } else {
            body.to_vec()
        };
        Ok(Seen {
            status,
            serial,
            cache,
            bytes,
        })
    }

    /// Reads `url` as it comes.
    pub async fn get(&self, url: &str) -> anyhow::Result<Seen> {
        self.variant(url, ("*/*", false)).await
    }

    /// Waits until `page` is shown: an edge that was there before its origin takes it for sick for some
    /// seconds.
    pub async fn wait_for_page(&self, page: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.variant(page, ("text/html", false)).await?.status != 200 {
            ensure!(Instant::now() < deadline, "{page} is never shown");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Every announced row of the changelog.
    pub async fn changelog(&self, index: &str) -> anyhow::Result<Vec<Value>> {
        let url = format!("{index}/changelog/?limit=10000");
        let answer = self.get(&url).await?.json()?;
        Ok(answer["changes"].as_array().context("no changes")?.clone())
    }

    /// The watermarks.
    pub async fn state(&self, index: &str) -> anyhow::Result<Value> {
        let state = self.get(&format!("{index}/changelog/state")).await?;
        Ok(state.json()?["meta"].clone())
    }

    /// Waits until `serial` is announced, without a pause of its own.
    pub async fn wait_for(&self, index: &str, serial: u64) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let url = format!(
            "{index}/changelog/?wait=5&limit=1&since={}",
            serial.saturating_sub(1)
        );
        loop {
            let answer = self.get(&url).await?.json()?;
            if answer["changes"]
                .as_array()
                .is_some_and(|rows| !rows.is_empty())
            {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "serial {serial} is not announced"
            );
        }
    }

    /// Waits until the list of projects at `edge`, which may be seconds old there, is the announced:
    /// in both codings, as each has an age of its own.
    pub async fn wait_for_list(&self, edge: &str, index: &TestIndex) -> anyhow::Result<u64> {
        let announced = self.state(&index.url()).await?["announced-serial"].as_u64();
        let announced = announced.context("no announced serial")?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut current = true;
            for gzip in [false, true] {
                let list = self
                    .variant(&format!("{edge}/simple/"), (JSON, gzip))
                    .await?
                    .json()?;
                current &= list["meta"]["_last-serial"] == announced;
            }
            if current {
                return Ok(announced);
            }
            ensure!(Instant::now() < deadline, "the list stays old at {edge}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
