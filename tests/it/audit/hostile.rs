//! Mirrors that mean harm or are badly broken: each is one clear finding, never a hang and never
//! "exact". The index here is a fake that is prepared for it, which real ones can't be made to be.

use lockstep_core::digest::Sha256;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Said, audit};

const FILE: &[u8] = b"a wheel";

/// An index with one project, `six` at serial 2, and `gone`, which was removed at serial 3.
struct Fake {
    index: MockServer,
    mirror: MockServer,
    html: String,
}

impl Fake {
    async fn start() -> Self {
        let (index, mirror) = (MockServer::start().await, MockServer::start().await);
        let sha256 = Sha256::of(FILE);
        let link = format!("../../packages/six-1.0.whl#sha256={sha256}");
        let html = format!("<a href=\"{link}\">six-1.0.whl</a><!--SERIAL 2-->");
        let json = json!({"meta": {"_last-serial": 2}, "files": [{
            "filename": "six-1.0.whl", "url": "../../packages/six-1.0.whl", "size": FILE.len(),
            "hashes": {"sha256": sha256}}]});
        let json = json.to_string();
        let content = format!("{}\n", json!(["six-1.0.whl", sha256, null, false]));
        let hash = |text: &str| Sha256::of(text.as_bytes());
        let fake = Self {
            index,
            mirror,
            html,
        };
        let meta = json!({"index-id": "00000000-0000-0000-0000-000000000001",
                          "announced-serial": 3});
        let nothing = json!({"sha256": hash(""), "added": {}, "removed": {}});
        let row = |serial: u64, project: &str, page: Value| {
            json!({"serial": serial, "timestamp": format!("2026-11-0{serial}T00:00:00Z"),
                   "project": project, "page": page, "content": {"sha256": hash(&content)},
                   "files": nothing})
        };
        let page = |serial, html, json| json!({"serial": serial, "html": {"sha256": html}, "json": {"sha256": json}});
        let old = page(1, hash("old"), hash("{}"));
        let six = page(2, hash(&fake.html), hash(&json));
        let rows = [
            row(1, "gone", old),
            row(2, "six", six),
            row(3, "gone", Value::Null),
        ];
        let line = json!({"project": "six", "serial": 2, "html": hash(&fake.html),
                          "json": hash(&json), "content": hash(&content)});
        let changes = json!({"meta": meta, "changes": rows, "next": 3, "more": false});
        let json_page = format!("/pages/sha256/{}", hash(&json));
        for (at, body) in [
            ("/changelog/state", json!({"meta": meta}).to_string()),
            ("/changelog/", changes.to_string()),
            ("/snapshot/3", format!("{line}\n")),
            ("/changelog/2/content", content),
            (json_page.as_str(), json),
        ] {
            answer(
                &fake.index,
                at,
                ResponseTemplate::new(200).set_body_string(body),
            )
            .await;
        }
        fake
    }

    fn audit(&self, more: &[&str]) -> anyhow::Result<Said> {
        audit(&self.index.uri(), &self.mirror.uri(), more)
    }

    async fn page(&self, body: &str) {
        let answered = ResponseTemplate::new(200).set_body_string(body);
        answer(&self.mirror, "/simple/six/", answered).await;
    }

    async fn file(&self, answered: ResponseTemplate) {
        answer(&self.mirror, "/packages/six-1.0.whl", answered).await;
    }
}

async fn answer(server: &MockServer, at: &str, answered: ResponseTemplate) {
    let mock = Mock::given(path(at)).and(method("GET"));
    mock.respond_with(answered).mount(server).await;
}

#[tokio::test]
async fn a_removed_project_may_stay_in_a_mirror_but_not_at_an_edge() -> anyhow::Result<()> {
    let fake = Fake::start().await;
    fake.page(&fake.html).await;
    fake.file(ResponseTemplate::new(200).set_body_bytes(FILE))
        .await;
    let old = ResponseTemplate::new(200).set_body_string("old");
    answer(&fake.mirror, "/simple/gone/", old).await;
    let words = "behind gone: shows serial 1 (2026-11-01T00:00:00Z), announced 3, 2 serials behind";
    fake.audit(&[])?.found(&[(words, "")]);
    fake.audit(&["--kind", "edge"])?.found(&[(words, "")]);
    fake.audit(&["--kind", "mirror"])?.is_exact(1);
    fake.audit(&["--kind", "mirror", "--project", "gone"])?
        .is_exact(1);
    Ok(())
}

#[tokio::test]
async fn what_a_file_answers_is_judged_and_not_believed() -> anyhow::Result<()> {
    let moved = |to: &str| ResponseTemplate::new(302).insert_header("location", to);
    for (answered, words) in [
        (
            moved("/packages/six-1.0.whl"),
            "unreadable six: six-1.0.whl: ",
        ),
        (moved("file:///etc/passwd"), "unreadable six: six-1.0.whl: "),
        (ResponseTemplate::new(503), "unreadable six: six-1.0.whl: "),
        (ResponseTemplate::new(403), "unreadable six: six-1.0.whl: "),
        (
            ResponseTemplate::new(410),
            "different six: six-1.0.whl: not at ",
        ),
        (
            ResponseTemplate::new(200).set_body_bytes(vec![0; 30_000_000]),
            "different six: six-1.0.whl: other bytes at ",
        ),
        (
            ResponseTemplate::new(200).set_body_bytes(b"another".to_vec()),
            "different six: six-1.0.whl: other bytes at ",
        ),
    ] {
        let fake = Fake::start().await;
        fake.page(&fake.html).await;
        fake.file(answered).await;
        fake.audit(&["--project", "six"])?.found(&[(words, "")]);
    }
    Ok(())
}

#[tokio::test]
async fn links_lead_nowhere_but_to_http() -> anyhow::Result<()> {
    let fake = Fake::start().await;
    let page = fake.html.replace("../../packages/", "file:///packages/");
    fake.page(&page).await;
    fake.audit(&["--project", "six"])?.found(&[(
        "different six: six-1.0.whl: the link is file: and not http or https",
        "",
    )]);
    Ok(())
}

#[tokio::test]
async fn a_file_on_another_host_is_followed_through_a_redirect() -> anyhow::Result<()> {
    let fake = Fake::start().await;
    let elsewhere = MockServer::start().await;
    let at = format!("{}/packages/", elsewhere.uri());
    fake.page(&fake.html.replace("../../packages/", &at)).await;
    let moved = ResponseTemplate::new(302).insert_header("location", "/kept");
    answer(&elsewhere, "/packages/six-1.0.whl", moved).await;
    let kept = ResponseTemplate::new(200).set_body_bytes(FILE);
    answer(&elsewhere, "/kept", kept).await;
    fake.audit(&["--project", "six"])?.is_exact(1);
    Ok(())
}

#[tokio::test]
async fn a_page_too_large_for_any_is_not_read_to_its_end() -> anyhow::Result<()> {
    let fake = Fake::start().await;
    let large = " ".repeat(70 * 1024 * 1024);
    fake.page(&large).await;
    let said = fake.audit(&["--project", "six"])?;
    said.found(&[(
        "unreadable six: the answer has more than 67108864 bytes",
        "",
    )]);
    // One that is merely large is read.
    let fake = Fake::start().await;
    fake.page(&format!("{}{}", fake.html, " ".repeat(5 * 1024 * 1024)))
        .await;
    fake.file(ResponseTemplate::new(200).set_body_bytes(FILE))
        .await;
    fake.audit(&["--project", "six"])?.is_exact(1);
    Ok(())
}

#[tokio::test]
async fn a_wrong_address_is_one_finding() -> anyhow::Result<()> {
    let fake = Fake::start().await;
    let said = fake.audit(&["--since", "0", "--kind", "edge"])?;
    // `gone` is rightly not there.
    said.found(&[("missing six: no page, announced 2", "")]);
    assert!(
        said.err.contains("kind edge, judged by the hash"),
        "{said:?}"
    );
    Ok(())
}
