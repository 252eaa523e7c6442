//! At a real edge: whoever is told of an order finds it carried out there.

use std::process::Command;

use anyhow::{Context as _, ensure};
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::edge::Edge;
use lockstep_tests::index::binary;
use lockstep_tests::reader::{JSON, Reader, VARIANTS};

use super::{By, Order, remove_project, status, unyank, yank};

/// The page in all variants, and the JSON API, warm at the edge.
async fn warm(edge: &Edge, reader: &Reader) -> anyhow::Result<()> {
    let legacy = format!("{}/pypi/sample/json", edge.pop.url());
    for url in [edge.page("sample"), legacy] {
        for variant in VARIANTS {
            reader.variant(&url, variant).await?;
            let seen = reader.variant(&url, variant).await?;
            ensure!(seen.cache.as_deref() == Some("HIT"), "{url} {variant:?}");
        }
    }
    Ok(())
}

async fn at_the_edge(edge: &Edge, order: &Order, legacy: u16) -> anyhow::Result<()> {
    let reader = Reader::new()?;
    warm(edge, &reader).await?;
    let told = order.give(&edge.index, By::Http).await?;
    let origin = edge.index.url();
    reader.wait_for(&origin, told.serial).await?;
    let row = format!("{origin}/changelog/{}", told.serial);
    let row = reader.get(&row).await?.json()?;
    for variant in VARIANTS {
        let page = reader.variant(&edge.page("sample"), variant).await?;
        if told.page.is_none() {
            ensure!(page.status == 404, "{variant:?}: {}", page.status);
            continue;
        }
        let form = if variant.0 == JSON { "json" } else { "html" };
        let hash = &row["page"][form]["sha256"];
        ensure!(*hash == page.hash(), "{variant:?} is old after {order:?}");
        let list = format!("{}/pypi/sample/json", edge.pop.url());
        let json = reader.variant(&list, variant).await?;
        ensure!(json.status == legacy, "{variant:?}: {}", json.status);
        if legacy == 200 {
            ensure!(json.serial == Some(told.serial), "{variant:?} is old");
        }
    }
    // As a mirror's operator asserts it, from outside.
    let audit = Command::new(binary())
        .args(["audit", &edge.pop.url(), "--index", &origin])
        .output()?;
    ensure!(
        audit.status.success() && audit.stdout.is_empty(),
        "{audit:?}"
    );
    Ok(())
}

#[tokio::test]
async fn no_page_is_old_once_an_order_is_announced() -> anyhow::Result<()> {
    let edge = Edge::start()?;
    let dist = wheel("sample", "1.0", &Opts::default());
    edge.upload("sample", "1.0", &dist).await?;
    edge.index.settle()?;
    for (order, legacy) in [
        (yank("sample", "1.0", Some("broken")), 200),
        (unyank("sample", "1.0"), 200),
        (status("sample", "archived", None), 200),
        (status("sample", "quarantined", None), 404),
        (status("sample", "active", None), 200),
        (remove_project("sample"), 404),
    ] {
        at_the_edge(&edge, &order, legacy)
            .await
            .with_context(|| format!("{order:?}"))?;
    }
    edge.index.settle()?;
    edge.index.fsck()
}
