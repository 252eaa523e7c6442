//! What an operator orders, as people see it.

use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::index::TestIndex;
use reqwest::Method;
use serde_json::{Value, json};

use super::page;
use crate::http::get;
use crate::read::upload;

#[tokio::test]
async fn an_order_is_seen_at_once_with_its_reason() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    for version in ["1.0", "2.0"] {
        let dist = wheel("sample", version, &Opts::default());
        upload(&index, "sample", version, &dist).await?;
    }
    let why = |words: &str| json!({"reason": words});
    let status = |word: &str| json!({"status": word, "reason": "<moved>"});
    let (one, two) = (
        ">sample-1.0-py3-none-any.whl</a>",
        ">sample-2.0-py3-none-any.whl</a>",
    );
    let file = "sample/files/sample-1.0-py3-none-any.whl";
    // Each order with what the page says after it, and what it does not.
    for (method, path, body, said, unsaid) in [
        (
            Method::POST,
            "sample/releases/2.0/yank",
            why("<broken>"),
            // The latest that is not yanked.
            [one, "2.0</a> (yanked)", "<td>yank release</td>"],
            "This release is yanked.",
        ),
        (
            Method::POST,
            "sample/releases/1.0/yank",
            why("<old>"),
            // All are yanked: the newest of them.
            ["This release is yanked.", "given: &#60;broken&#62;", two],
            "<old>",
        ),
        (
            Method::POST,
            "sample/releases/2.0/unyank",
            Value::Null,
            [two, "1.0</a> (yanked)", "<td>unyank release</td>"],
            "This release is yanked.",
        ),
        (
            Method::PUT,
            "sample/status",
            status("archived"),
            ["This project is archived.", "given: &#60;moved&#62;", two],
            "<moved>",
        ),
        (
            Method::PUT,
            "sample/status",
            status("quarantined"),
            ["This project is quarantined.", "&#60;moved&#62;", "sample"],
            "pip install",
        ),
        (
            Method::PUT,
            "sample/status",
            json!({"status": "active"}),
            [two, "pip install", "1.0</a> (yanked)"],
            "This project is",
        ),
        (
            Method::DELETE,
            "sample/releases/2.0",
            Value::Null,
            [one, "<td>remove release</td>", "This release is yanked."],
            two,
        ),
        (
            Method::DELETE,
            file,
            Value::Null,
            [
                "<strong>1.0</strong> (yanked)",
                "remove file",
                "&#60;old&#62;",
            ],
            "href=\"/packages/",
        ),
    ] {
        let serial = index.order(method, path, &body).await?;
        let got = page(&index, "/project/sample/").await?;
        let html = got.text();
        assert_eq!(got.header("x-pypi-last-serial"), serial.to_string());
        for said in said {
            assert!(html.contains(said), "{path}: {said} in\n{html}");
        }
        assert!(!html.contains(unsaid), "{path}: {unsaid} in\n{html}");
    }
    let serial = index.order(Method::DELETE, "sample", &Value::Null).await?;
    for path in ["/project/sample/", "/project/sample/1.0/"] {
        let got = get(&index, path, &[]).await?;
        assert_eq!(
            (got.status, got.header("surrogate-key")),
            (404, "project-sample")
        );
        assert!(got.text().contains("<h1>Not found</h1>"), "{serial}");
    }
    index.settle()?;
    index.fsck()
}
