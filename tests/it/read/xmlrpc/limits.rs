//! What one call may ask for: rows, calls within a call, bytes, levels.

use lockstep_tests::index::TestIndex;
use serde_json::{Value, json};

use super::refused::{call, post};
use super::{python, value};
use crate::http::get;
use crate::read::sample;

fn multicall(index: &TestIndex, calls: &Value) -> anyhow::Result<Value> {
    value(index, "system.multicall", &json!([calls]))
}

fn fault(answer: &Value) -> (i64, &str) {
    let text = answer["faultString"].as_str().unwrap_or_default();
    (answer["faultCode"].as_i64().unwrap_or_default(), text)
}

#[tokio::test]
async fn calls_within_a_call() -> anyhow::Result<()> {
    let index = sample().await?;
    let one = |name: &str, params: Value| json!({"methodName": name, "params": params});
    let results = multicall(
        &index,
        &json!([
            one("changelog_last_serial", json!([])),
            one("no_such_method", json!([])),
            one("list_packages", json!([])),
            one("changelog_since_serial", json!(["three"])),
            one("system.multicall", json!([[one("list_packages", json!([]))]])),
            one("package_releases", json!(["sample-project", true])),
            {"methodName": "list_packages"},
            {"methodName": 7, "params": []},
            "list_packages",
            one("list_packages", json!({})),
        ]),
    )?;
    // A result stands alone in a list, so that a fault can be told from a struct.
    for (position, result) in [
        (0, json!([4])),
        (2, json!([["sample-project"]])),
        (5, json!([["1.0"]])),
    ] {
        assert_eq!(results[position], result);
    }
    for (position, code, text) in [
        (
            1,
            -32601,
            "server error; requested method not found: no_such_method",
        ),
        (
            3,
            -32602,
            "client error; serial: Input should be a valid integer",
        ),
        (
            4,
            -32602,
            "client error; methodName: system.multicall can't call itself",
        ),
        (
            6,
            -32602,
            "client error; params: Input should be a valid list",
        ),
        (
            7,
            -32602,
            "client error; methodName: Input should be a valid string",
        ),
        (8, -32602, "client error; calls: Input should be a struct"),
        (
            9,
            -32602,
            "client error; params: Input should be a valid list",
        ),
    ] {
        assert_eq!(fault(&results[position]), (code, text));
    }
    assert_eq!(results.as_array().map(Vec::len), Some(10));

    // As Python's library sends and unpacks them.
    let calls = json!([
        [
            "/pypi",
            "MultiCall",
            [["changelog_last_serial"], ["changelog_since_serial", 4]]
        ],
        [
            "/pypi",
            "MultiCall",
            [["changelog_last_serial"], ["no_such_method"]]
        ],
        ["/pypi", "system.multicall", [[]]],
    ]);
    let answers = python(&index, &calls)?;
    assert_eq!(answers[0], json!(["value", [4, []]]));
    assert_eq!(
        (&answers[1][0], &answers[1][1]),
        (&json!("fault"), &json!(-32601))
    );
    assert_eq!(answers[2], json!(["value", []]));

    let many = |count| {
        json!([
            "/pypi",
            "system.multicall",
            [vec![one("list_packages", json!([])); count]]
        ])
    };
    let answers = python(&index, &json!([many(100), many(101)]))?;
    assert_eq!(answers[0][1].as_array().map(Vec::len), Some(100));
    let refusal = "client error; calls: List should have at most 100 items";
    assert_eq!(answers[1], json!(["fault", -32602, refusal]));
    Ok(())
}

#[tokio::test]
async fn a_list_of_changes_has_an_end_or_is_whole() -> anyhow::Result<()> {
    let index = sample().await?;
    // As many more rows as an answer may hold, as the fourth is.
    index.database().query(
        "insert into changelog (serial, at, project_id, name, version, kind, action, added, removed, \
             page_serial, html_sha256, html_size, json_sha256, json_size, renderer, content_sha256, \
             files_sha256, files_count, listed, state_id) \
         select more, at, project_id, name, version, kind, action, added, removed, page_serial, \
                html_sha256, html_size, json_sha256, json_size, renderer, content_sha256, \
                files_sha256, files_count, listed, state_id \
         from changelog, generate_series(5, 50004) as more where serial = 4; \
         update serials set value = 50004; \
         update watermarks set purged = 50004, verified = 50004, announced = 50004",
    )?;
    // By serial there is a cursor to go on from; by time there is none, so nothing is cut off.
    let calls = json!([
        ["/pypi", "changelog_since_serial", [0]],
        ["/pypi", "changelog_since_serial", [50_000]],
        ["/pypi", "changelog", [0]],
        [
            "/pypi",
            "MultiCall",
            [["changelog_since_serial", 0], ["changelog_last_serial"]]
        ],
    ]);
    let answers = python(&index, &calls)?;
    let rows = answers[0][1].as_array().map_or(&[][..], Vec::as_slice);
    assert_eq!(rows.len(), 50_000);
    assert_eq!(rows.last().map(|row| &row[4]), Some(&json!(50_000)));
    assert_eq!(answers[1][1].as_array().map(Vec::len), Some(4));
    assert_eq!(answers[2][1], -32500, "{}", answers[2]);
    let text = answers[2][2].as_str().unwrap_or_default();
    assert!(
        text.starts_with("ValueError: there are more than 50000 changes"),
        "{text}"
    );
    // One large answer, and what comes after it is not even begun.
    assert_eq!(
        (&answers[3][0], &answers[3][1]),
        (&json!("fault"), &json!(-32500))
    );
    let text = answers[3][2].as_str().unwrap_or_default();
    assert!(text.contains("gave back too much"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_call_that_is_too_large_is_told_so() -> anyhow::Result<()> {
    let index = sample().await?;
    let good = call("changelog_last_serial", "");
    let most = format!("{good}{}", " ".repeat(65_536 - good.len()));
    assert!(post(&index, &most).await?.text().contains("<i4>4</i4>"));
    for size in [65_537, 20_000_000] {
        let padded = format!("{good}{}", " ".repeat(size - good.len()));
        let got = post(&index, &padded).await?;
        assert_eq!((got.status, got.header("content-type")), (200, "text/xml"));
        let text = got.text();
        assert!(text.contains("<i4>-32500</i4>"), "{text}");
        assert!(text.contains("larger than 65536 bytes"), "{text}");
    }
    // Python's client, which reads only after it has sent all, is told the same.
    let long = "x".repeat(5_000_000);
    let answers = python(&index, &json!([["/pypi", "page_hashes", [long]]]))?;
    assert_eq!(
        (&answers[0][0], &answers[0][1]),
        (&json!("fault"), &json!(-32500))
    );
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
            let got = post(&index, &call("changelog_since_serial", &nested)).await?;
            let text = got.text();
            assert_eq!(got.status, 200, "{open}: {text}");
            assert!(text.contains("<fault>"), "{open}: {text}");
        }
    }
    assert_eq!(index.process_id(), process);
    assert_eq!(get(&index, "/healthz", &[]).await?.status, 200);
    Ok(())
}
