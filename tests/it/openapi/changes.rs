//! Real requests that change an index, taken and refused: uploads and orders.

use lockstep_tests::dist::{Opts, sdist, wheel};
use lockstep_tests::form::Form;
use reqwest::Method;
use serde_json::{Value, json};

use super::answers::Session;
use crate::provenance;
use crate::streams::fill_a_segment;

const NAME: &str = "Sample.Project";

pub(super) async fn uploads(session: &mut Session) -> anyhow::Result<()> {
    let seed = Form::of("seed", "1", &wheel("seed", "1", &Opts::default()));
    session.upload(&seed, "*/*", 200).await?;
    session.index.settle()?;
    session
        .read("segment", "/changelog/segments/0", &[], 404)
        .await?;
    fill_a_segment(&session.index)?;
    session
        .read("segment", "/changelog/segments/0", &[], 200)
        .await?;
    session
        .read("segment", "/changelog/segments/x", &[], 400)
        .await?;

    let fields = [
        "Project-URL: Docs, https://example.org/docs",
        "License-Expression: MIT",
        "Provides-Extra: more",
        "Requires-Dist: seed",
        "Dynamic: Keywords",
        "Keywords: a,b",
        "Platform: any",
        "Author-email: somebody@example.org",
        "Classifier: Programming Language :: Python",
    ];
    let opts = Opts {
        requires_python: Some(">=3.9".to_owned()),
        ..Opts::with_fields("2.4", &fields)
    };
    for (version, dist) in [
        ("1.0", wheel(NAME, "1.0", &opts)),
        ("1.0", sdist(NAME, "1.0", &opts)),
        ("2.0rc1", wheel(NAME, "2.0rc1", &opts)),
    ] {
        let form = Form::of(NAME, version, &dist).with("metadata_version", "2.4");
        session.upload(&form, "*/*", 200).await?;
    }
    for name in ["going", "hidden"] {
        let dist = wheel(name, "1.0", &Opts::default());
        session
            .upload(&Form::of(name, "1.0", &dist), "*/*", 200)
            .await?;
    }
    let attested = provenance::attestation(&format!("{}.publish.attestation", provenance::FILE))?;
    let form = provenance::form(&json!([attested]))?;
    session.upload(&form, "*/*", 200).await?;

    let bad = seed.clone().with("version", "nonsense");
    for accept in ["*/*", "application/json", "application/problem+json"] {
        session.upload(&bad, accept, 400).await?;
        let gone = seed.clone().with(":action", "submit");
        session.upload(&gone, accept, 410).await?;
        let mut stranger = seed.clone();
        stranger.token.push_str("-unknown");
        session.upload(&stranger, accept, 403).await?;
        let opts = Opts {
            payload: 10 << 20,
            ..Opts::default()
        };
        let large = Form::of("large", "1.0", &wheel("large", "1.0", &opts));
        session.upload(&large, accept, 413).await?;
    }
    let there = (Method::POST, "/legacy");
    session
        .send("uploadWithoutSlash", there, &[], Vec::new(), 308)
        .await?;
    Ok(())
}

pub(super) async fn orders(session: &mut Session) -> anyhow::Result<()> {
    let (one, none) = ("sample-project/releases/1.0", Value::Null);
    let (yank, unyank) = (format!("{one}/yank"), format!("{one}/unyank"));
    let nobody = "nobody/releases/1.0";
    let long = json!({"reason": "x".repeat(70_000)});
    for (body, status) in [
        (json!({"reason": "broken"}), 200),
        (json!({"why": "broken"}), 400),
        (long.clone(), 413),
    ] {
        session
            .order("yank", Method::POST, &yank, &body, status)
            .await?;
    }
    let post = || Method::POST;
    session
        .order("yank", post(), &format!("{nobody}/yank"), &none, 404)
        .await?;
    for (path, body, status) in [
        (&unyank, &none, 200),
        (&unyank, &long, 413),
        (&unyank, &json!({"reason": "x"}), 400),
        (&format!("{nobody}/unyank"), &none, 404),
    ] {
        session.order("unyank", post(), path, body, status).await?;
    }
    session.order("yank", post(), &yank, &none, 200).await?;
    for (project, body, status) in [
        ("hidden", json!({"status": "quarantined"}), 200),
        (
            "sample-project",
            json!({"status": "archived", "reason": "done"}),
            200,
        ),
        ("sample-project", json!({"status": "sleepy"}), 400),
        ("nobody", json!({"status": "active"}), 404),
        (
            "nobody",
            json!({"status": "active", "reason": long["reason"]}),
            413,
        ),
    ] {
        let path = format!("{project}/status");
        session
            .order("setStatus", Method::PUT, &path, &body, status)
            .await?;
    }
    for (id, path) in [
        (
            "removeFile",
            "sample-project/files/sample_project-1.0.tar.gz",
        ),
        ("removeRelease", "sample-project/releases/2.0rc1"),
        ("removeProject", "going"),
    ] {
        let delete = || Method::DELETE;
        // The second time it is not there to be removed.
        session.order(id, delete(), path, &none, 200).await?;
        session.order(id, delete(), path, &none, 404).await?;
    }
    Ok(())
}
