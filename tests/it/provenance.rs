//! Attestations (PEP 740), with real ones of other people's releases: verified offline, served beside
//! the file, or refused and nothing changed.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use lockstep_core::digest::Sha256;
use lockstep_tests::checks;
use lockstep_tests::dist::Dist;
use lockstep_tests::form::Form;
use lockstep_tests::index::{TOKEN, TestIndex, client};
use lockstep_tests::reader::{JSON, Reader};
use serde_json::{Value, json};

pub(crate) const VERSION: &str = "0.0.19";
pub(crate) const FILE: &str = "pypi_attestations-0.0.19.tar.gz";

/// Where `tests/clients/setup` has put them.
fn assets() -> PathBuf {
    let clients = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/clients");
    clients.join("attested/pypi_attestations-0.0.30/test/assets")
}

fn dist(name: &str) -> anyhow::Result<Dist> {
    let bytes = std::fs::read(assets().join(name)).with_context(|| {
        format!("no {name}: run tests/clients/setup, which fetches distributions with attestations")
    })?;
    Ok(Dist {
        filename: name.to_owned(),
        sha256: Sha256::of(&bytes).to_string(),
        bytes,
    })
}

pub(crate) fn attestation(name: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(
        assets().join(name),
    )?)?)
}

/// An upload of the file that these real attestations are of.
pub(crate) fn form(attestations: &Value) -> anyhow::Result<Form> {
    let form = Form::of("pypi-attestations", VERSION, &dist(FILE)?);
    Ok(form.with("attestations", &attestations.to_string()))
}

/// The statement inside, changed.
fn with_statement(
    mut attestation: Value,
    change: impl FnOnce(&mut Value),
) -> anyhow::Result<Value> {
    let base64 = &base64::engine::general_purpose::STANDARD;
    let text = attestation["envelope"]["statement"]
        .as_str()
        .context("no statement")?;
    let mut statement: Value = serde_json::from_slice(&base64.decode(text)?)?;
    change(&mut statement);
    attestation["envelope"]["statement"] = base64.encode(statement.to_string()).into();
    Ok(attestation)
}

#[tokio::test]
async fn what_verifies_is_served_and_named_on_the_page() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let publish = attestation(&format!("{FILE}.publish.attestation"))?;
    let slsa = attestation(&format!("{FILE}.slsa.attestation"))?;
    let answer = form(&json!([publish, slsa]))?.send(&index).await?;
    ensure!(answer.status == 200, "{answer:?}");
    let reader = Reader::new()?;

    let page = reader
        .variant(
            &format!("{}/simple/pypi-attestations/", index.url()),
            (JSON, false),
        )
        .await?
        .json()?;
    let url = page["files"][0]["provenance"]
        .as_str()
        .context("no provenance")?;
    let path = format!("/integrity/pypi-attestations/{VERSION}/{FILE}/provenance");
    assert_eq!(url, format!("{}{path}", index.url()));
    let html = reader
        .get(&format!("{}/simple/pypi-attestations/", index.url()))
        .await?;
    let html = String::from_utf8(html.bytes)?;
    ensure!(
        html.contains(&format!(" data-provenance=\"{url}\"")),
        "{html}"
    );

    let response = reqwest::get(url).await?;
    assert_eq!(response.status(), 200);
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    assert_eq!(
        header("content-type"),
        Some("application/vnd.pypi.integrity.v1+json")
    );
    assert_eq!(header("surrogate-key"), Some("project-pypi-attestations"));
    let etag = header("etag").context("no entity tag")?.to_owned();
    let object: Value = serde_json::from_str(&response.text().await?)?;
    let expected = json!({"version": 1, "attestation_bundles": [{
        "publisher": {"kind": "GitHub", "claims": null, "repository": "trailofbits/pypi-attestations",
                      "workflow": "release.yml", "environment": null},
        "attestations": [publish, slsa],
    }]});
    assert_eq!(object, expected);
    let again = reqwest::Client::new()
        .get(url)
        .header("if-none-match", &etag)
        .send()
        .await?;
    assert_eq!(again.status(), 304);

    for other in [
        format!("/integrity/pypi-attestations/0.0.20/{FILE}/provenance"),
        format!("/integrity/other/{VERSION}/{FILE}/provenance"),
        format!("/integrity/pypi-attestations/{VERSION}/other-1.tar.gz/provenance"),
        "/integrity/pypi-attestations/x/y/provenance".to_owned(),
    ] {
        let status = reader.get(&format!("{}{other}", index.url())).await?.status;
        assert_eq!(status, 404, "{other}");
    }
    // The same upload again changes nothing, whatever it attests this time.
    let same = form(&json!([]))?.send(&index).await?;
    assert_eq!((same.status, same.serial), (200, answer.serial));
    let expected = [(
        "pypi-attestations".to_owned(),
        [(FILE.to_owned(), dist(FILE)?.sha256)].into(),
    )];
    checks::whole(&index, &expected.into()).await
}

#[tokio::test]
async fn what_does_not_verify_is_refused_and_nothing_is_kept() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let good = attestation(&format!("{FILE}.publish.attestation"))?;
    let mut no_log = good.clone();
    no_log["verification_material"]["transparency_entries"] = json!([]);
    let mut no_certificate = good.clone();
    no_certificate["verification_material"]["certificate"] = "AAAA".into();
    let mut version = good.clone();
    version["version"] = 2.into();
    let mut signature = good.clone();
    let other = attestation(&format!("{FILE}.slsa.attestation"))?;
    signature["envelope"]["signature"] = other["envelope"]["signature"].clone();
    let table = [
        ("not JSON", json!("x"), "no JSON array"),
        ("an object", good.clone(), "no JSON array"),
        (
            "two of a kind",
            json!([good, good]),
            "more than one of the type",
        ),
        (
            "version 2",
            json!([version]),
            "version 2 of attestations is not known",
        ),
        (
            "another's signature",
            json!([signature]),
            "can't be verified",
        ),
        ("no log entry", json!([no_log]), "can't be verified"),
        (
            "no certificate",
            json!([no_certificate]),
            "can't be verified",
        ),
        (
            "for another file",
            json!([attestation(
                "gitlab_oidc_project-0.0.3.tar.gz.publish.attestation"
            )?]),
            "signed for `gitlab_oidc_project-0.0.3.tar.gz`",
        ),
        (
            "for other bytes",
            json!([with_statement(good.clone(), |it| {
                it["subject"][0]["digest"]["sha256"] = "00".repeat(32).into();
            })?]),
            "digest is not that of the uploaded file",
        ),
        (
            "a changed statement",
            json!([with_statement(good.clone(), |it| it["predicate"] = json!({}))?]),
            "can't be verified",
        ),
        (
            "an unknown predicate",
            json!([with_statement(good.clone(), |it| it["predicateType"] = "x".into())?]),
            "predicate type `x` is not known",
        ),
        (
            "two subjects",
            json!([with_statement(good.clone(), |it| {
                let subject = it["subject"][0].clone();
                it["subject"] = json!([subject, subject]);
            })?]),
            "one subject, and has 2",
        ),
    ];
    for (what, attestations, reason) in table {
        let answer = form(&attestations)?.send(&index).await?;
        ensure!(
            answer.status == 400
                && answer
                    .body
                    .starts_with("attestations: Invalid attestations supplied")
                && answer.body.contains(reason),
            "{what}: {answer:?}"
        );
        eprintln!("{what}: {} {}", answer.status, answer.body.trim_end());
    }
    let counts = "select (select count(*) from files) + (select count(*) from changelog) \
                  + (select count(*) from provenances) + (select count(*) from projects)";
    assert_eq!(index.database().query(counts)?, "0");
    index.fsck()
}

/// An instance of Sigstore that nobody should trust signs as well as the real one.
#[tokio::test]
async fn the_staging_instance_is_not_trusted() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let name = "rfc8785-0.1.2-py3-none-any.whl";
    let attestations = json!([attestation(&format!("{name}.publish.attestation"))?]);
    let form = Form::of("rfc8785", "0.1.2", &dist(name)?);
    let answer = form
        .with("attestations", &attestations.to_string())
        .send(&index)
        .await?;
    ensure!(
        answer.status == 400 && answer.body.contains("can't be verified"),
        "{answer:?}"
    );
    Ok(())
}

#[tokio::test]
async fn uv_sends_what_lies_beside_the_file() -> anyhow::Result<()> {
    let Some(uv) = client("publish", "uv")? else {
        return Ok(());
    };
    let index = TestIndex::start()?;
    let folder = tempfile::tempdir()?;
    // Where uv looks by itself.
    let dist = folder.path().join("dist");
    std::fs::create_dir(&dist)?;
    for name in [FILE.to_owned(), format!("{FILE}.publish.attestation")] {
        std::fs::copy(assets().join(&name), dist.join(&name))?;
    }
    let output = std::process::Command::new(uv)
        .args([
            "publish",
            "--no-config",
            "--trusted-publishing",
            "never",
            "--publish-url",
        ])
        .arg(format!("{}/legacy/", index.url()))
        .args(["--token", TOKEN])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let url = format!(
        "{}/integrity/pypi-attestations/{VERSION}/{FILE}/provenance",
        index.url()
    );
    let object = Reader::new()?.get(&url).await?.json()?;
    let sent = attestation(&format!("{FILE}.publish.attestation"))?;
    assert_eq!(
        object["attestation_bundles"][0]["attestations"],
        json!([sent])
    );
    Ok(())
}
