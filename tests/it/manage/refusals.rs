//! Orders that are refused: with which words, and that nothing is changed.

use anyhow::ensure;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::{TOKEN, TestIndex};
use reqwest::Method;
use serde_json::json;

use crate::http::{Got, client, finish, get};
use crate::refusals::state::State;

pub(super) async fn index() -> anyhow::Result<TestIndex> {
    let index = TestIndex::start()?;
    let dist = wheel("sample", "1.0", &Opts::default());
    let answer = Form::of("sample", "1.0", &dist).send(&index).await?;
    ensure!(answer.status == 200, "{answer:?}");
    index.settle()?;
    Ok(index)
}

/// Everything that an order could change.
pub(super) async fn all(index: &TestIndex) -> anyhow::Result<(State, Vec<u8>, Vec<u8>)> {
    let page = get(index, "/simple/sample/", &[]).await?.body;
    let json = get(index, "/pypi/sample/json", &[]).await?.body;
    Ok((State::of(index)?, page, json))
}

async fn send(
    index: &TestIndex,
    (method, path): (&Method, &str),
    body: &str,
    authorization: &str,
) -> anyhow::Result<Got> {
    let url = format!("{}/api/projects/{path}", index.url());
    let mut request = client()?.request(method.clone(), url).body(body.to_owned());
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    finish(request).await
}

#[tokio::test]
async fn what_is_not_there_or_not_understood_is_refused_and_changes_nothing() -> anyhow::Result<()>
{
    let index = index().await?;
    let before = all(&index).await?;
    let (post, put, delete) = (&Method::POST, &Method::PUT, &Method::DELETE);
    let yank = (post, "sample/releases/1.0/yank");
    let status = (put, "sample/status");
    let long = format!("{{\"reason\": \"{}\"}}", "x".repeat(501));
    let huge = " ".repeat(70_000);
    let rows = [
        (
            (post, "none/releases/1.0/yank"),
            "",
            404,
            "no-project",
            "There is no project `none`",
        ),
        (
            (post, "%20/releases/1.0/yank"),
            "",
            404,
            "no-project",
            "There is no such thing",
        ),
        (
            (post, "sample/releases/2.0/yank"),
            "",
            404,
            "no-release",
            "no release `2.0`",
        ),
        (
            (post, "sample/releases/x/unyank"),
            "",
            404,
            "no-release",
            "`x` is not a version",
        ),
        (
            (delete, "none"),
            "",
            404,
            "no-project",
            "There is no project `none`",
        ),
        (
            (delete, "sample/releases/2.0"),
            "",
            404,
            "no-release",
            "no release `2.0`",
        ),
        (
            (delete, "sample/files/sample-2.0.tar.gz"),
            "",
            404,
            "no-file",
            "no file",
        ),
        (
            (delete, "sample/files/other-1.0.tar.gz"),
            "",
            404,
            "no-file",
            "no file",
        ),
        (
            (delete, "sample/files/..%2Fx.whl"),
            "",
            404,
            "no-file",
            "other characters",
        ),
        (
            (put, "none/status"),
            r#"{"status": "archived"}"#,
            404,
            "no-project",
            "`none`",
        ),
        (yank, "{", 400, "json", "not a JSON object: EOF"),
        (yank, "[]", 400, "json", "not a JSON object"),
        (
            yank,
            r#"{"reasn": "x"}"#,
            400,
            "unknown-field",
            "reasn: Unknown field; expected reason",
        ),
        (
            yank,
            r#"{"reason": 3}"#,
            400,
            "reason",
            "reason: expected a text",
        ),
        (
            yank,
            r#"{"reason": ""}"#,
            400,
            "reason",
            "reason: a reason must not be empty",
        ),
        (
            yank,
            r#"{"reason": "a\nb"}"#,
            400,
            "reason",
            "reason: a reason is one line",
        ),
        (yank, &long, 400, "reason", "at most 500 characters"),
        (yank, &huge, 413, "body", "length limit"),
        (
            (post, "sample/releases/1.0/unyank"),
            r#"{"reason": "x"}"#,
            400,
            "unknown-field",
            "none",
        ),
        (status, "", 400, "status", "status: This field is required"),
        (
            status,
            r#"{"status": "gone"}"#,
            400,
            "status",
            "`gone` is no project status",
        ),
        (
            status,
            r#"{"status": "archived", "why": 1}"#,
            400,
            "unknown-field",
            "why: Unknown",
        ),
    ];
    let bearer = format!("Bearer {TOKEN}");
    for (route, body, status, code, says) in rows {
        let got = send(&index, route, body, &bearer).await?;
        let case = format!("{} {} {body:.60}", route.0, route.1);
        ensure!(
            got.status == status,
            "{case}: {} {}",
            got.status,
            got.text()
        );
        let kind = got.header("content-type");
        ensure!(kind == "application/problem+json", "{case}: {kind}");
        let problem = got.json()?;
        ensure!(problem["code"] == code, "{case}: {problem}");
        let detail = problem["detail"].as_str().unwrap_or_default();
        ensure!(detail.contains(says), "{case}: {detail}");
        ensure!(problem["status"] == status, "{case}: {problem}");
        eprintln!("REFUSED {status} {code:<13} {case}: {detail:.90}");
    }
    ensure!(
        all(&index).await? == before,
        "a refused order changed something"
    );
    index.fsck()
}

#[tokio::test]
async fn only_a_token_with_the_scope_manage_may_give_orders() -> anyhow::Result<()> {
    let index = index().await?;
    let before = all(&index).await?;
    let mut wrong = vec![String::new(), "Bearer lsk_unknown".to_owned()];
    for (n, scope) in ["upload", "upload:sample", "operate", "read"]
        .iter()
        .enumerate()
    {
        let name = format!("other-{n}");
        let secret = index.lockstep(&["token", "create", "--name", &name, "--scope", scope])?;
        wrong.push(format!("Bearer {}", secret.trim()));
    }
    for authorization in &wrong {
        for (method, path) in [
            (Method::POST, "sample/releases/1.0/yank"),
            (Method::POST, "sample/releases/1.0/unyank"),
            (Method::DELETE, "sample"),
            (Method::DELETE, "sample/releases/1.0"),
            (Method::DELETE, "sample/files/sample-1.0-py3-none-any.whl"),
            (Method::PUT, "sample/status"),
            // Strangers do not even learn what there is.
            (Method::DELETE, "none"),
        ] {
            let body = if method == Method::PUT { "no JSON" } else { "" };
            let got = send(&index, (&method, path), body, authorization).await?;
            ensure!(got.status == 403, "{method} {path}: {}", got.text());
            ensure!(got.json()?["code"] == "forbidden", "{}", got.text());
        }
    }
    ensure!(
        all(&index).await? == before,
        "a refused order changed something"
    );

    let secret = index.lockstep(&["token", "create", "--name", "m", "--scope", "manage"])?;
    let (post, path) = (&Method::POST, "sample/releases/1.0/yank");
    let bearer = format!("Bearer {}", secret.trim());
    let got = send(&index, (post, path), "", &bearer).await?;
    ensure!(got.status == 200, "{}", got.text());
    ensure!(got.header("cache-control") == "no-store");
    let row = get(&index, "/changelog/4?horizon=committed", &[]).await?;
    ensure!(got.json()?["serial"] == 4, "{}", got.text());
    index.settle()?;
    let row = if row.status == 200 {
        row.json()?
    } else {
        get(&index, "/changelog/4", &[]).await?.json()?
    };
    // To the letter what the changelog says.
    ensure!(
        got.json()? == json!({"serial": 4, "page": row["page"]}),
        "{row}"
    );
    let request = client()?
        .post(format!("{}/api/projects/{path}", index.url()))
        .basic_auth("__token__", Some(secret.trim()));
    ensure!(finish(request).await?.status == 200);
    Ok(())
}
