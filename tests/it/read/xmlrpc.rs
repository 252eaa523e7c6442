//! XML-RPC: by Python's own client, and by hand what no client sends.

use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use lockstep_tests::index::TestIndex;
use serde_json::{Value, json};

use super::sample;
use crate::http::{Got, client, finish, get};

async fn post(index: &TestIndex, content_type: &str, body: String) -> anyhow::Result<Got> {
    let request = client()?.post(format!("{}/pypi", index.url()));
    finish(request.header("content-type", content_type).body(body)).await
}

fn call(method: &str, params: &str) -> String {
    format!(
        "<?xml version='1.0'?><methodCall><methodName>{method}</methodName>\
         <params>{params}</params></methodCall>"
    )
}

#[tokio::test]
async fn pythons_own_client_reads_every_method() -> anyhow::Result<()> {
    let index = sample().await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/xmlrpc_client.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(index.url())
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said: Value = serde_json::from_slice(&output.stdout)?;

    assert_eq!(said["last"], json!(["int", 4]));
    assert_eq!(
        (&said["by_RPC2"], &said["by_slash"]),
        (&json!(4), &json!(4))
    );
    assert_eq!(said["list"], json!({"Sample_Project": 4}));
    assert_eq!(said["since_end"], json!([]));
    assert_eq!(said["since_two"].as_array().map(Vec::len), Some(2));
    let rows = said["since"].as_array().cloned().unwrap_or_default();
    let wheel = "add py3 file sample_project-1.0-py3-none-any.whl";
    let sdist = "add source file sample_project-1.0.tar.gz";
    let told = [
        ("create", false),
        ("new release", true),
        (wheel, true),
        (sdist, true),
    ];
    assert_eq!(rows.len(), told.len());
    for (number, (row, (action, versioned))) in rows.iter().zip(told).enumerate() {
        let version = if versioned {
            json!(["str", "1.0"])
        } else {
            json!(["NoneType", null])
        };
        let serial = json!(["int", number + 1]);
        assert_eq!(
            (&row[0], &row[1]),
            (&json!(["str", "Sample_Project"]), &version)
        );
        assert!(row[2][0] == "int" && row[2][1].as_u64().is_some_and(|it| it > 1_700_000_000));
        assert_eq!((&row[3], &row[4]), (&json!(["str", action]), &serial));
        assert_eq!(row.as_array().map(Vec::len), Some(5));
    }

    let http = get(&index, "/changelog/4", &[]).await?.json()?;
    let hashes = &said["hashes"][0];
    assert_eq!(said["hashes"].as_array().map(Vec::len), Some(1));
    for (here, there) in [
        ("serial", &http["serial"]),
        ("name", &http["name"]),
        ("version", &http["version"]),
        ("action", &http["action"]),
        ("page_sha256", &http["page"]["html"]["sha256"]),
        ("page_json_sha256", &http["page"]["json"]["sha256"]),
        ("content_sha256", &http["content"]["sha256"]),
        ("files_sha256", &http["files"]["sha256"]),
        ("added", &http["files"]["added"]),
        ("removed", &http["files"]["removed"]),
    ] {
        assert_eq!(&hashes[here], there, "{here}");
    }

    let faults = &said["faults"];
    assert_eq!(faults["unknown"][0], -32601);
    assert!(
        faults["unknown"][1]
            .as_str()
            .is_some_and(|it| it.contains("no_such_method"))
    );
    for wrong in ["missing", "text", "negative", "more", "none", "nil"] {
        assert_eq!(faults[wrong][0], -32602, "{wrong}: {}", faults[wrong]);
        let text = faults[wrong][1].as_str().unwrap_or_default();
        assert!(text.starts_with("client error; "), "{wrong}: {text}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_call_is_refused() -> anyhow::Result<()> {
    let index = sample().await?;
    let good = call("changelog_last_serial", "");
    for kind in ["text/xml", "text/xml; charset=utf-8"] {
        let got = post(&index, kind, good.clone()).await?;
        assert_eq!(
            (got.status, got.header("content-type")),
            (200, "text/xml"),
            "{kind}"
        );
        assert!(got.text().contains("4</i"), "{}", got.text());
    }
    for kind in [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
    ] {
        let got = post(&index, kind, good.clone()).await?;
        assert_eq!(got.status, 415, "{kind}");
    }
    let padded = format!("{good}{}", " ".repeat(70_000));
    assert_eq!(post(&index, "text/xml", padded).await?.status, 413);
    let entities =
        "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>".to_owned() + &call("&b;", "");
    for broken in [
        String::new(),
        "<methodCall>".to_owned(),
        "<methodCall></methodCall>".to_owned(),
        "no XML".to_owned(),
        "<methodResponse/>".to_owned(),
        call(
            "changelog_last_serial",
            "<param><value><int>x</int></value></param>",
        ),
        entities,
        call(
            "list_packages_with_serial",
            "<param><value><!DOCTYPE x></value></param>",
        ),
    ] {
        let got = post(&index, "text/xml", broken.clone()).await?;
        // Faults come with 200, as the public index sends them.
        assert_eq!(
            (got.status, got.header("content-type")),
            (200, "text/xml"),
            "{broken}"
        );
        assert!(got.text().contains("-32700"), "{broken}: {}", got.text());
    }
    Ok(())
}

#[tokio::test]
async fn deep_nesting_does_not_end_the_process() -> anyhow::Result<()> {
    let index = sample().await?;
    let process = index.process_id();
    // As deep as the largest call can be, closed and not; and deeper than that.
    for (open, close) in [
        ("<value><array><data>", "</data></array></value>"),
        (
            "<value><struct><member><name>a</name>",
            "</member></struct></value>",
        ),
        ("<a>", "</a>"),
        ("<value>", "</value>"),
    ] {
        for (levels, closed) in [
            (65_000 / open.len(), false),
            (65_000 / (open.len() + close.len()), true),
            (10_000, true),
        ] {
            let end = if closed {
                close.repeat(levels)
            } else {
                String::new()
            };
            let nested = format!("<param>{}{end}</param>", open.repeat(levels));
            let got = post(&index, "text/xml", call("changelog_since_serial", &nested)).await?;
            assert!([200, 413].contains(&got.status), "{open}: {}", got.status);
            assert!(
                got.status == 413 || got.text().contains("<fault>"),
                "{open}: {}",
                got.text()
            );
        }
    }
    assert_eq!(index.process_id(), process);
    assert_eq!(get(&index, "/healthz", &[]).await?.status, 200);
    Ok(())
}
