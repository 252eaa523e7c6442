//! Real requests for every operation, and every status that a sound index can be made to answer.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use lockstep_server::app::App;
use lockstep_server::{retention, settings};
use lockstep_tests::form::{BOUNDARY, Form};
use lockstep_tests::index::{Options, TOKEN, TestIndex};
use reqwest::Method;
use serde_json::{Value, json};

use super::changes::{orders, uploads};
use super::judge::Api;
use crate::http::{Got, client, finish, get};
use crate::provenance;

type Headers<'a> = &'a [(&'a str, &'a str)];

/// An index, and what it was seen to answer.
pub(super) struct Session {
    pub(super) index: TestIndex,
    api: Api,
    seen: BTreeSet<(String, u16)>,
}

impl Session {
    /// Sends a request for an operation; the answer has this status and is as described.
    pub(super) async fn send(
        &mut self,
        id: &str,
        request: (Method, &str),
        headers: Headers<'_>,
        body: Vec<u8>,
        status: u16,
    ) -> anyhow::Result<Got> {
        let (method, path) = request;
        let operation = self.api.operation(id, &method, path)?;
        let mut request = client()?.request(method.clone(), format!("{}{path}", self.index.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let got = finish(request.body(body)).await?;
        let what = || format!("{method} {path} {headers:?}: {} {}", got.status, got.text());
        ensure!(got.status == status, "not {status}: {}", what());
        self.api.judge(&operation, &got).with_context(what)?;
        self.seen.insert((id.to_owned(), status));
        Ok(got)
    }

    /// A GET; one that can be revalidated is.
    pub(super) async fn read(
        &mut self,
        id: &str,
        path: &str,
        headers: Headers<'_>,
        status: u16,
    ) -> anyhow::Result<Got> {
        let request = (Method::GET, path);
        let got = self
            .send(id, request.clone(), headers, Vec::new(), status)
            .await?;
        let operation = self.api.operation(id, &Method::GET, path)?;
        if status == 200 && operation.statuses.contains(&304) {
            let known = [headers, &[("if-none-match", got.header("etag"))]].concat();
            self.send(id, request, &known, Vec::new(), 304).await?;
        }
        Ok(got)
    }

    pub(super) async fn upload(
        &mut self,
        form: &Form,
        accept: &str,
        status: u16,
    ) -> anyhow::Result<()> {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let token = format!("Bearer {}", form.token);
        let headers = [
            ("content-type", &*kind),
            ("authorization", &token),
            ("accept", accept),
        ];
        self.send(
            "upload",
            (Method::POST, "/legacy/"),
            &headers,
            form.body(),
            status,
        )
        .await?;
        Ok(())
    }

    /// An order, without a token and with it.
    pub(super) async fn order(
        &mut self,
        id: &str,
        method: Method,
        below: &str,
        body: &Value,
        status: u16,
    ) -> anyhow::Result<()> {
        let path = format!("/api/projects/{below}");
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into()
        };
        let request = (method, path.as_str());
        self.send(id, request.clone(), &[], body.clone(), 403)
            .await?;
        let token = format!("Bearer {TOKEN}");
        self.send(id, request, &[("authorization", &token)], body, status)
            .await?;
        Ok(())
    }

    /// What was described and never seen, `Retry-After` and a full disk aside.
    fn unseen(&self) -> Vec<(String, u16)> {
        let described = self.api.operations().flat_map(|it| {
            let id = it.id.clone();
            it.statuses
                .into_iter()
                .map(move |status| (id.clone(), status))
        });
        described
            .filter(|(_, status)| ![503, 507].contains(status))
            .filter(|it| !self.seen.contains(it))
            .collect()
    }
}

const JSON_V1: (&str, &str) = ("accept", "application/vnd.pypi.simple.v1+json");
const HTML_V1: (&str, &str) = ("accept", "application/vnd.pypi.simple.v1+html");

#[tokio::test]
async fn the_index_answers_as_described() -> anyhow::Result<()> {
    let index = TestIndex::with(Options {
        settings: "[upload]\nmax_file_size = \"256 KiB\"".to_owned(),
        ..Options::default()
    })?;
    let (api, seen) = (Api::read()?, BTreeSet::new());
    let mut session = Session { index, api, seen };
    uploads(&mut session).await?;
    orders(&mut session).await?;
    session.index.settle()?;
    changelog(&mut session).await?;
    pages(&mut session).await?;
    files(&mut session).await?;
    rest(&mut session).await?;
    events(&mut session).await?;
    let unseen = session.unseen();
    ensure!(unseen.is_empty(), "described, and never seen: {unseen:?}");
    Ok(())
}

async fn changelog(session: &mut Session) -> anyhow::Result<()> {
    let state = session.read("state", "/changelog/state", &[], 200).await?;
    let last = &state.json()?["meta"]["announced-serial"];
    for (id, path, status) in [
        ("changesSince", "/changelog/?limit=10000", 200),
        ("changesSince", "/changelog/?since=x", 400),
        ("changesWithoutSlash", "/changelog?since=1", 301),
        ("change", "/changelog/x", 400),
        ("change", "/changelog/99999", 404),
        ("changeFiles", "/changelog/x/files", 400),
        ("changeFiles", "/changelog/99999/files", 404),
        ("changeContent", "/changelog/x/content", 400),
        ("changeContent", "/changelog/99999/content", 404),
        ("latestSnapshot", "/snapshot/", 307),
        ("snapshot", "/snapshot/0", 200),
        ("snapshot", &format!("/snapshot/{last}"), 200),
        ("snapshot", "/snapshot/x", 400),
        ("snapshot", "/snapshot/99999", 404),
    ] {
        session.read(id, path, &[], status).await?;
    }
    let path = "/changelog/?project=sample-project&horizon=committed";
    let rows = session.read("changesSince", path, &[], 200).await?.json()?;
    let first = &rows["changes"][3];
    let (serial, hash) = (&first["serial"], &first["page"]["html"]["sha256"]);
    let hash = hash.as_str().context("no hash")?;
    let json = first["page"]["json"]["url"].as_str().context("no page")?;
    let page = format!("/pages/sha256/{hash}");
    let files = [
        ("changeFiles", format!("/changelog/{serial}/files")),
        ("changeContent", format!("/changelog/{serial}/content")),
        ("pageByHash", page.clone()),
    ];
    session
        .read("change", &format!("/changelog/{serial}"), &[], 200)
        .await?;
    session.read("pageByHash", json, &[], 200).await?;
    let upper = format!("/pages/sha256/{}", hash.to_uppercase());
    session.read("pageByHash", &upper, &[], 301).await?;
    session
        .read("pageByHash", "/pages/sha256/x", &[], 400)
        .await?;
    let unknown = format!("/pages/sha256/{}", "0".repeat(64));
    session.read("pageByHash", &unknown, &[], 404).await?;
    for (id, path) in &files {
        session.read(id, path, &[], 200).await?;
    }
    session
        .index
        .database()
        .query("update states set replaced_at = replaced_at - interval '31 days'")?;
    let app = App::start(settings::load(&session.index.settings_file())?).await?;
    retention::round(&app, false).await?;
    for (id, path) in &files {
        session.read(id, path, &[], 410).await?;
    }
    Ok(())
}

/// What is read of a project, by its paths: `…/sample-project/…`.
async fn pages(session: &mut Session) -> anyhow::Result<()> {
    const MIN: (&str, &str) = ("x-min-serial", "99999");
    const BAD: (&str, &str) = ("x-min-serial", "x");
    let plain: Headers<'_> = &[];
    for (id, path, headers, status) in [
        ("projects", "/simple/", plain, 200),
        ("projects", "/simple/", &[HTML_V1], 200),
        ("projects", "/simple/", &[JSON_V1], 200),
        ("projects", "/simple/", &[BAD], 400),
        ("projects", "/simple/", &[MIN], 503),
        ("projectsWithoutSlash", "/simple", plain, 301),
        ("project", "/simple/sample-project/", plain, 200),
        ("project", "/simple/sample-project/", &[HTML_V1], 200),
        ("project", "/simple/sample-project/", &[JSON_V1], 200),
        ("project", "/simple/pypi-attestations/", &[JSON_V1], 200),
        ("project", "/simple/hidden/", &[JSON_V1], 200),
        ("project", "/simple/Sample.Project/", plain, 301),
        ("project", "/simple/going/", plain, 404),
        ("project", "/simple/nobody/", plain, 404),
        ("project", "/simple/seed/", &[BAD], 400),
        ("project", "/simple/seed/", &[MIN], 503),
        ("serversig", "/serversig/seed/", plain, 200),
        ("serversig", "/serversig/Seed/", plain, 301),
        ("serversig", "/serversig/nobody/", plain, 404),
        ("serversig", "/serversig/seed/", &[BAD], 400),
        ("serversig", "/serversig/seed/", &[MIN], 503),
        ("legacyRelease", "/pypi/seed/1/json", &[MIN], 503),
        ("projectFeed", "/rss/project/seed/releases.xml", plain, 200),
        ("projectFeed", "/rss/project/Seed/releases.xml", plain, 301),
        (
            "projectFeed",
            "/rss/project/nobody/releases.xml",
            plain,
            404,
        ),
        ("projectPage", "/project/sample-project/", plain, 200),
        ("projectPage", "/project/Seed/", plain, 301),
        ("projectPage", "/project/nobody/", plain, 404),
        ("releasePage", "/project/sample-project/1.0/", plain, 200),
        ("releasePage", "/project/Seed/1/", plain, 301),
        ("releasePage", "/project/seed/9/", plain, 404),
        ("releasePageWithoutSlash", "/project/seed/1", plain, 301),
        ("releasePageWithoutSlash", "/project/seed/x", plain, 404),
    ] {
        session.read(id, path, headers, status).await?;
    }
    for (id, path) in [
        ("projectWithoutSlash", "/simple"),
        ("serversigWithoutSlash", "/serversig"),
        ("projectPageWithoutSlash", "/project"),
    ] {
        let (seed, nothing) = (format!("{path}/seed"), format!("{path}/_"));
        session.read(id, &seed, &[], 301).await?;
        session.read(id, &nothing, &[], 404).await?;
    }
    for (id, version, end) in [
        ("legacyProject", "", ""),
        ("legacyProjectWithSlash", "", "/"),
        ("legacyRelease", "/1.0", ""),
        ("legacyReleaseWithSlash", "/1.0", "/"),
    ] {
        for (project, headers, status) in [
            ("sample-project", plain, 200),
            ("sample-project", &[BAD], 400),
            ("Sample.Project", plain, 301),
            ("nobody", plain, 404),
        ] {
            let path = format!("/pypi/{project}{version}/json{end}");
            session.read(id, &path, headers, status).await?;
        }
    }
    Ok(())
}

async fn files(session: &mut Session) -> anyhow::Result<()> {
    let page = get(&session.index, "/simple/sample-project/", &[JSON_V1]).await?;
    let url = page.json()?["files"][0]["url"].clone();
    let url = url.as_str().context("no file")?.trim_start_matches("../..");
    let metadata = format!("{url}.metadata");
    for path in [url, &metadata] {
        session.read("file", path, &[], 200).await?;
        let range = [("range", "bytes=0-3")];
        session.read("file", path, &range, 206).await?;
        let range = [("range", "bytes=99999999-")];
        session.read("file", path, &range, 416).await?;
    }
    session
        .read("file", &format!("{url}.nothing"), &[], 404)
        .await?;
    let (version, file) = (provenance::VERSION, provenance::FILE);
    for (project, file, status) in [
        ("pypi-attestations", file, 200),
        ("Pypi.Attestations", file, 301),
        ("pypi-attestations", "x", 404),
    ] {
        let path = format!("/integrity/{project}/{version}/{file}/provenance");
        session.read("provenance", &path, &[], status).await?;
    }
    Ok(())
}

async fn rest(session: &mut Session) -> anyhow::Result<()> {
    for (id, path, status) in [
        ("front", "/", 200),
        ("search", "/search/?q=sa", 200),
        ("search", "/search/?after=!", 400),
        ("searchWithoutSlash", "/search", 301),
        ("updatesFeed", "/rss/updates.xml", 200),
        ("packagesFeed", "/rss/packages.xml", 200),
        ("openapi", "/api/openapi.json", 200),
        ("healthz", "/healthz", 200),
        ("readyz", "/readyz", 200),
        ("metrics", "/metrics", 200),
    ] {
        session.read(id, path, &[], status).await?;
    }
    let call = "<?xml version=\"1.0\"?><methodCall>\
                <methodName>changelog_last_serial</methodName></methodCall>";
    for (id, path) in [
        ("xmlrpc", "/pypi"),
        ("xmlrpcWithSlash", "/pypi/"),
        ("xmlrpcRpc2", "/RPC2"),
    ] {
        for (kind, status) in [("text/xml", 200), ("text/plain", 415)] {
            let headers = [("content-type", kind)];
            let request = (Method::POST, path);
            session
                .send(id, request, &headers, call.into(), status)
                .await?;
        }
    }
    Ok(())
}

/// The stream has no end, so its first event is judged; its refusals are answers like all others.
async fn events(session: &mut Session) -> anyhow::Result<()> {
    let path = "/changelog/events";
    session
        .read("events", path, &[("last-event-id", "x")], 400)
        .await?;
    session
        .read("events", path, &[("last-event-id", "99999")], 404)
        .await?;
    let url = format!("{}{path}?since=0", session.index.url());
    let mut stream = client()?.get(url).send().await?;
    let mut got = Got {
        status: stream.status().as_u16(),
        headers: stream.headers().clone(),
        body: Vec::new(),
    };
    while !got.text().contains("\n\n") {
        got.body
            .extend(stream.chunk().await?.context("the stream ended")?);
    }
    let operation = session.api.operation("events", &Method::GET, path)?;
    session.api.judge(&operation, &got)?;
    let text = got.text();
    let data = text.lines().find_map(|line| line.strip_prefix("data:"));
    let row: Value = serde_json::from_str(data.context("no data")?)?;
    let schema = json!({"$ref": "#/components/schemas/Change"});
    session.api.validate(&schema, &row)?;
    session.seen.insert(("events".to_owned(), 200));
    Ok(())
}
