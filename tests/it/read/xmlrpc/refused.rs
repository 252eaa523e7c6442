//! What is no call, and calls that are wrong: a fault with its code and its reason, HTTP 200.

use lockstep_tests::index::TestIndex;
use reqwest::Method;
use serde_json::json;

use super::python;
use crate::http::{Got, ask, client, finish};
use crate::read::sample;

pub(super) async fn post(index: &TestIndex, body: &str) -> anyhow::Result<Got> {
    send(index, "text/xml", body.as_bytes().to_vec()).await
}

async fn send(index: &TestIndex, content_type: &str, body: Vec<u8>) -> anyhow::Result<Got> {
    let request = client()?.post(format!("{}/pypi", index.url()));
    finish(request.header("content-type", content_type).body(body)).await
}

pub(super) fn call(method: &str, params: &str) -> String {
    format!(
        "<?xml version='1.0'?><methodCall><methodName>{method}</methodName>\
         <params>{params}</params></methodCall>"
    )
}

#[tokio::test]
async fn parameters_are_counted_and_typed() -> anyhow::Result<()> {
    let index = sample().await?;
    let integer = "Input should be a valid integer";
    let string = "Input should be a valid string";
    let missing = "Missing required argument";
    let excess = "Unexpected positional argument";
    let wrong = [
        (
            "changelog_since_serial",
            json!([]),
            format!("serial: {missing}"),
        ),
        (
            "changelog_since_serial",
            json!(["3"]),
            format!("serial: {integer}"),
        ),
        (
            "changelog_since_serial",
            json!([null]),
            format!("serial: {integer}"),
        ),
        (
            "changelog_since_serial",
            json!([true]),
            format!("serial: {integer}"),
        ),
        (
            "changelog_since_serial",
            json!([1.0]),
            format!("serial: {integer}"),
        ),
        (
            "changelog_since_serial",
            json!([[1]]),
            format!("serial: {integer}"),
        ),
        (
            "changelog_since_serial",
            json!([-1]),
            "serial: Input should be greater than or equal to 0".to_owned(),
        ),
        (
            "changelog_since_serial",
            json!([1, 2]),
            format!("1: {excess}"),
        ),
        (
            "changelog_since_serial_with_hashes",
            json!({}),
            format!("serial: {integer}"),
        ),
        ("changelog_last_serial", json!([1]), format!("0: {excess}")),
        ("list_packages", json!([1]), format!("0: {excess}")),
        (
            "list_packages_with_serial",
            json!([1]),
            format!("0: {excess}"),
        ),
        ("system.listMethods", json!([1]), format!("0: {excess}")),
        ("changelog", json!([]), format!("since: {missing}")),
        ("changelog", json!([1.5]), format!("since: {integer}")),
        (
            "changelog",
            json!([1, 1]),
            "with_ids: Input should be a valid boolean".to_owned(),
        ),
        ("changelog", json!([1, true, 1]), format!("2: {excess}")),
        (
            "release_urls",
            json!([]),
            format!("name: {missing}; version: {missing}"),
        ),
        (
            "release_data",
            json!([1, 1.0, 1]),
            format!("name: {string}; version: {string}; 2: {excess}"),
        ),
        (
            "package_releases",
            json!(["a", "yes"]),
            "show_hidden: Input should be a valid boolean".to_owned(),
        ),
        ("package_roles", json!([]), format!("name: {missing}")),
        ("page_hashes", json!([{}]), format!("name: {string}")),
        ("file_hashes", json!([null]), format!("name: {string}")),
        (
            "system.multicall",
            json!(["x"]),
            "calls: Input should be a valid list".to_owned(),
        ),
    ];
    let calls: Vec<_> = wrong
        .iter()
        .map(|(method, arguments, _)| match arguments {
            // A struct is one argument.
            serde_json::Value::Object(_) => json!(["/pypi", method, [arguments]]),
            arguments => json!(["/pypi", method, arguments]),
        })
        .collect();
    let answers = python(&index, &json!(calls))?;
    for (answer, (method, arguments, reason)) in answers.iter().zip(&wrong) {
        let expected = json!(["fault", -32602, format!("client error; {reason}")]);
        assert_eq!(answer, &expected, "{method}{arguments}");
    }
    Ok(())
}

#[tokio::test]
async fn unknown_methods() -> anyhow::Result<()> {
    let index = sample().await?;
    let long = "x".repeat(300);
    for (name, told) in [
        ("search", "search"),
        (
            "system.multicall.system.multicall",
            "system.multicall.system.multicall",
        ),
        ("a &lt; b &amp; c", "a &lt; b &amp; c"),
        // XML has no place for it, not even by reference.
        ("a&#1;b", "a\u{fffd}b"),
        (long.as_str(), &long[..80]),
    ] {
        let got = post(&index, &call(name, "")).await?;
        assert_eq!((got.status, got.header("content-type")), (200, "text/xml"));
        let text = got.text();
        let expected = format!("<string>server error; requested method not found: {told}</string>");
        let text = text.replace("&gt;", ">").replace("&quot;", "\"");
        assert!(
            text.contains("<i4>-32601</i4>") && text.contains(&expected),
            "{name}: {text}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_call_is_refused() -> anyhow::Result<()> {
    let index = sample().await?;
    let good = call("changelog_last_serial", "");
    for kind in ["text/xml", "text/xml; charset=utf-8"] {
        let got = send(&index, kind, good.clone().into_bytes()).await?;
        let head = (
            got.status,
            got.header("content-type"),
            got.header("cache-control"),
        );
        assert_eq!(head, (200, "text/xml", "no-store"), "{kind}");
        let expected = "<?xml version='1.0' encoding='utf-8'?>\n<methodResponse><params><param>\
                        <value><i4>4</i4></value></param></params></methodResponse>";
        assert_eq!(got.text(), expected);
    }
    for kind in [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
    ] {
        let got = send(&index, kind, good.clone().into_bytes()).await?;
        assert_eq!(got.status, 415, "{kind}");
    }
    let entities = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>".to_owned();
    let param = |value: &str| format!("<param><value>{value}</value></param>");
    for broken in [
        String::new(),
        "<methodCall>".to_owned(),
        "<methodCall></methodCall>".to_owned(),
        "no XML".to_owned(),
        "<methodResponse/>".to_owned(),
        call("", ""),
        "<?xml version='1.0' encoding='klingon'?>".to_owned() + &good,
        entities.clone() + &call("&b;", ""),
        entities + &good,
        call("changelog_since_serial", &param("<int>&a;</int>")),
        call("changelog_since_serial", &param("<int>x</int>")),
        call("changelog_since_serial", &param("<int>99999999999</int>")),
        call("changelog_since_serial", &param("<number>1</number>")),
        call("list_packages_with_serial", &param("<!DOCTYPE x>")),
    ] {
        let got = post(&index, &broken).await?;
        let head = (got.status, got.header("content-type"));
        assert_eq!(head, (200, "text/xml"), "{broken}");
        let text = got.text();
        let reason = "parse error; not well formed";
        assert!(
            text.contains("-32700") && text.contains(reason),
            "{broken}: {text}"
        );
    }
    let got = send(
        &index,
        "text/xml",
        b"<methodCall>\xff\xfe</methodCall>".to_vec(),
    )
    .await?;
    assert!(got.text().contains("-32700"), "{}", got.text());
    Ok(())
}

#[tokio::test]
async fn other_encodings_that_are_declared_are_read() -> anyhow::Result<()> {
    let index = sample().await?;
    let text = call("caf\u{e9}", "").replace("?>", " encoding='iso-8859-1'?>");
    let latin_1 = text.chars().map(|letter| u8::try_from(letter as u32));
    let got = send(&index, "text/xml", latin_1.collect::<Result<_, _>>()?).await?;
    assert!(
        got.text().contains("not found: caf\u{e9}<"),
        "{}",
        got.text()
    );
    Ok(())
}

#[tokio::test]
async fn it_is_asked_by_post_alone() -> anyhow::Result<()> {
    let index = sample().await?;
    for path in ["/pypi", "/pypi/", "/RPC2"] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let got = ask(
                &index,
                method.clone(),
                path,
                &[("content-type", "text/xml")],
            )
            .await?;
            assert_eq!(
                (got.status, got.header("allow")),
                (405, "POST"),
                "{method} {path}"
            );
            assert!(
                got.text().starts_with("XML-RPC is asked by POST"),
                "{}",
                got.text()
            );
        }
    }
    Ok(())
}
