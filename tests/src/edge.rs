//! An index with a real Varnish in front: what clients and mirrors talk to.

use reqwest::Method;

use crate::dist::Dist;
use crate::form::{Answer, Form};
use crate::index::{Options, TestIndex, free_address};
use crate::purge_sink::settings;
use crate::varnish::Pop;

/// Both, each knowing the other's address.
pub struct Edge {
    // Dropped first: it settles, for which it needs the cache.
    /// The origin.
    pub index: TestIndex,
    /// Its only cache, and its public face.
    pub pop: Pop,
}

impl Edge {
    /// Starts both; the second purge comes soon.
    pub fn start() -> anyhow::Result<Self> {
        let address = free_address()?;
        let pop = Pop::start("pop-1", address)?;
        let index = TestIndex::with(Options {
            address: Some(address),
            public_url: Some(pop.url()),
            settings: settings("pop-1", pop.address(), "200ms"),
            ..Options::default()
        })?;
        Ok(Self { index, pop })
    }

    /// Uploads to the origin.
    pub async fn upload(&self, name: &str, version: &str, dist: &Dist) -> anyhow::Result<Answer> {
        let answer = Form::of(name, version, dist).send(&self.index).await?;
        anyhow::ensure!(answer.status == 200, "{}: {answer:?}", dist.filename);
        Ok(answer)
    }

    /// Makes the edge forget the list of projects, which it keeps for ten seconds, as if they were over.
    pub async fn forget_list(&self) -> anyhow::Result<()> {
        let purge = Method::from_bytes(b"PURGE")?;
        let request = reqwest::Client::new().request(purge, self.pop.url());
        let answer = request.header("xkey-purge", "simple-index").send().await?;
        anyhow::ensure!(answer.status() == 200, "{answer:?}");
        Ok(())
    }

    /// A page's address at the edge.
    pub fn page(&self, project: &str) -> String {
        format!("{}/simple/{project}/", self.pop.url())
    }
}
