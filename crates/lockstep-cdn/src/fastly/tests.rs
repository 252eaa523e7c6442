//! The purge API's answers, one by one, against a fake of one request.

use serde_json::json;
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;
use crate::{Retry, Target};

const TOKEN: &str = "a-token-nobody-may-see";

fn settings(api_url: &str) -> FastlySettings {
    FastlySettings {
        name: "fastly".parse().expect("a name"),
        service_id: "SU1Z0isxPaozGVKXdv0eY".to_owned(),
        token: TOKEN.into(),
        api_url: api_url.to_owned(),
        soft: false,
    }
}

fn target(settings: FastlySettings) -> Target {
    Target::Fastly(Fastly::new(crate::client(), settings).expect("settings"))
}

fn keys(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn ids(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|&(key, id)| (key.to_owned(), id.to_owned()))
        .collect()
}

/// What becomes of a purge of keys `a` and `b` that is answered so.
async fn answered(answer: ResponseTemplate) -> Result<Receipt, PurgeError> {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(answer)
        .expect(1)
        .mount(&server)
        .await;
    target(settings(&server.uri()))
        .purge(&keys(&["a", "b"]))
        .await
}

async fn failure(answer: ResponseTemplate) -> (&'static str, Retry) {
    let error = answered(answer).await.expect_err("a failure");
    (error.kind(), error.retry())
}

#[tokio::test]
async fn a_batch_is_sent_as_documented_and_every_key_gets_its_id() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/service/SU1Z0isxPaozGVKXdv0eY/purge"))
        .and(header("fastly-key", TOKEN))
        .and(header("accept", "application/json"))
        .and(header("content-type", "application/json"))
        .and(body_json(
            json!({"surrogate_keys": ["project-a", "simple"]}),
        ))
        .and(|request: &Request| !request.headers.contains_key("fastly-soft-purge"))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_json(json!({"simple": "108-1-125", "project-a": "108-1-124"})),
        )
        .expect(1)
        .mount(&server)
        .await;
    let target = target(settings(&format!("{}/", server.uri())));
    let receipt = target
        .purge(&keys(&["project-a", "simple"]))
        .await
        .expect("accepted");
    assert_eq!(
        receipt.purge_ids,
        ids(&[("project-a", "108-1-124"), ("simple", "108-1-125")])
    );
    assert_eq!(
        target.purge(&[]).await.expect("nothing to do"),
        Receipt::default()
    );
    assert_eq!((target.name(), target.max_keys()), ("fastly", 256));
}

#[tokio::test]
async fn soft_is_one_header_more() {
    let server = MockServer::start().await;
    Mock::given(header("fastly-soft-purge", "1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"a": "1"})))
        .expect(1)
        .mount(&server)
        .await;
    let settings = FastlySettings {
        soft: true,
        ..settings(&server.uri())
    };
    target(settings)
        .purge(&keys(&["a"]))
        .await
        .expect("accepted");
}

#[tokio::test]
async fn a_verdict_in_the_body_counts_like_the_status() {
    let ok = |body| ResponseTemplate::new(200).set_body_json(body);
    let receipt = answered(ok(json!({"status": "ok", "id": "7"})))
        .await
        .expect("accepted");
    assert_eq!(receipt.purge_ids, ids(&[("a", "7"), ("b", "7")]));
    let receipt = answered(ok(json!({"status": "ok", "a": "1", "b": "2"}))).await;
    assert_eq!(
        receipt.expect("accepted").purge_ids,
        ids(&[("a", "1"), ("b", "2")])
    );

    for body in [
        json!({"status": "fail", "reason": "…"}),
        json!({"status": "fail", "a": "1", "b": "2"}),
        json!({"status": null, "id": "7"}),
    ] {
        assert_eq!(failure(ok(body)).await, ("not_ok", Retry::Backoff));
    }
}

#[tokio::test]
async fn a_partial_acknowledgement_is_none() {
    for body in [
        json!({}),
        json!({"a": "1"}),
        json!({"a": "1", "b": ""}),
        json!({"a": "1", "b": 2}),
        json!({"a": "1", "c": "2"}),
        json!({"status": "ok"}),
        json!({"status": "ok", "a": "1", "id": "7"}),
    ] {
        let answer = ResponseTemplate::new(200).set_body_json(&body);
        assert_eq!(
            failure(answer).await,
            ("incomplete", Retry::Backoff),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_key_named_status_is_a_key() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"status": "108-1"})))
        .mount(&server)
        .await;
    let receipt = target(settings(&server.uri()))
        .purge(&keys(&["status"]))
        .await;
    assert_eq!(
        receipt.expect("accepted").purge_ids,
        ids(&[("status", "108-1")])
    );
}

#[tokio::test]
async fn a_success_without_json_is_trouble_at_the_cdn() {
    for body in [
        "<html><h1>503 Backend fetch failed</h1></html>",
        "",
        "[]",
        "\"ok\"",
        "{\"a\":",
    ] {
        let answer = ResponseTemplate::new(200).set_body_string(body);
        assert_eq!(
            failure(answer).await,
            ("unreadable", Retry::Backoff),
            "{body}"
        );
    }
    let endless = ResponseTemplate::new(200).set_body_string(" ".repeat(2 * MAX_BODY) + "{}");
    assert_eq!(failure(endless).await, ("unreadable", Retry::Backoff));
}

#[tokio::test]
async fn each_status_has_its_consequence() {
    for (status, kind, retry) in [
        (204, "refused", Retry::Alarm),
        (302, "refused", Retry::Alarm),
        (400, "bad_request", Retry::Alarm),
        (401, "unauthorized", Retry::Alarm),
        (403, "forbidden", Retry::Alarm),
        (404, "not_found", Retry::Alarm),
        (405, "refused", Retry::Alarm),
        (408, "server_error", Retry::Backoff),
        (429, "rate_limited", Retry::Backoff),
        (500, "server_error", Retry::Backoff),
        (502, "server_error", Retry::Backoff),
        (503, "server_error", Retry::Backoff),
    ] {
        for body in [
            "{\"msg\":\"Provided credentials are missing or invalid\"}",
            "<html>",
        ] {
            let answer = ResponseTemplate::new(status)
                .insert_header("location", "/elsewhere")
                .set_body_string(body);
            assert_eq!(failure(answer).await, (kind, retry), "{status}");
        }
    }
}

#[tokio::test]
async fn the_longest_batch_is_accepted_and_a_longer_one_is_not_even_sent() {
    let names: Vec<String> = (0..257).map(|n| format!("project-{n}")).collect();
    let answer: Map<String, Value> = names[..256]
        .iter()
        .map(|key| (key.clone(), json!("108-1")))
        .collect();
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .expect(1)
        .mount(&server)
        .await;
    let target = target(settings(&server.uri()));
    assert_eq!(
        target
            .purge(&names[..256])
            .await
            .expect("accepted")
            .purge_ids
            .len(),
        256
    );
    for refused in [names, keys(&["a", ""]), vec!["k".repeat(1025)]] {
        assert_eq!(
            target.purge(&refused).await.expect_err("refused").retry(),
            Retry::Alarm
        );
    }
}

#[tokio::test]
async fn a_reset_is_waited_for() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the fake speaks of Fastly's own clock"
    )]
    let now = Timestamp::now().as_second();
    for (reset, shortest, longest) in [(now - 1000, 1, 1), (now + 30, 20, 30), (now + 999, 60, 60)]
    {
        let answer =
            ResponseTemplate::new(429).insert_header("fastly-ratelimit-reset", reset.to_string());
        let (kind, Retry::After(wait)) = failure(answer).await else {
            panic!("no wait")
        };
        assert_eq!(kind, "rate_limited");
        assert!((shortest..=longest).contains(&wait.as_secs()), "{wait:?}");
    }
}

#[test]
fn both_forms_of_waiting_are_read_and_bounded() {
    let now: Timestamp = "1994-11-06T08:49:30Z".parse().expect("a time");
    let seconds = |pairs: &[(&'static str, &'static str)]| {
        let pairs = pairs.iter().map(|&(name, value)| {
            (
                name.parse().expect("a header"),
                HeaderValue::from_static(value),
            )
        });
        wait(&pairs.collect(), now).map(|wait| wait.as_secs())
    };
    assert_eq!(seconds(&[]), None);
    assert_eq!(seconds(&[("retry-after", "7")]), Some(7));
    assert_eq!(seconds(&[("retry-after", "0")]), Some(1));
    assert_eq!(seconds(&[("retry-after", "-5")]), Some(1));
    assert_eq!(seconds(&[("retry-after", "86400")]), Some(60));
    assert_eq!(seconds(&[("retry-after", "99999999999999999999")]), None);
    assert_eq!(seconds(&[("retry-after", "soon")]), None);
    assert_eq!(
        seconds(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]),
        Some(7)
    );
    assert_eq!(
        seconds(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]),
        Some(1)
    );
    assert_eq!(
        seconds(&[("fastly-ratelimit-reset", "784111790")]),
        Some(20)
    );
    assert_eq!(seconds(&[("fastly-ratelimit-reset", "784111769")]), Some(1));
    assert_eq!(
        seconds(&[("fastly-ratelimit-reset", "9223372036854775807")]),
        Some(60)
    );
    assert_eq!(
        seconds(&[("fastly-ratelimit-reset", "-9223372036854775808")]),
        Some(1)
    );
    let both = [
        ("fastly-ratelimit-reset", "784111790"),
        ("retry-after", "7"),
    ];
    assert_eq!(seconds(&both), Some(20));
    assert_eq!(
        seconds(&[("fastly-ratelimit-reset", "?"), ("retry-after", "7")]),
        Some(7)
    );
}

#[tokio::test]
async fn a_refused_connection_and_a_slow_answer_are_told_apart() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let dead = target(settings(&format!("http://{}", free.expect("a free port"))));
    let error = dead.purge(&keys(&["a"])).await.expect_err("nobody there");
    assert_eq!(
        (error.kind(), error.retry()),
        ("unreachable", Retry::Backoff)
    );

    let server = MockServer::start().await;
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(5));
    Mock::given(method("POST"))
        .respond_with(late)
        .mount(&server)
        .await;
    let client = Client::builder()
        .timeout(Duration::from_millis(100))
        .build()
        .expect("a client");
    let slow = Target::Fastly(Fastly::new(client, settings(&server.uri())).expect("settings"));
    let error = slow.purge(&keys(&["a"])).await.expect_err("too slow");
    assert_eq!((error.kind(), error.retry()), ("timeout", Retry::Backoff));
}

#[tokio::test]
async fn the_token_is_shown_by_nothing() {
    let echo = ResponseTemplate::new(403).set_body_string(format!("{{\"seen\":\"{TOKEN}\"}}"));
    let refused = answered(echo).await.expect_err("refused");
    let broken = FastlySettings {
        token: format!("{TOKEN}\n").into(),
        ..settings("https://cdn.example.org")
    };
    let misread = Fastly::new(crate::client(), broken).expect_err("a line break");
    let fastly = target(settings("https://cdn.example.org"));
    let shown = format!(
        "{:?} {fastly:?} {refused} {refused:?} {misread} {misread:?}",
        settings("https://cdn.example.org")
    );
    assert!(!shown.contains(TOKEN), "{shown}");
    assert!(shown.contains("[token]"));
}

#[test]
fn settings_that_cannot_work_are_refused_at_start() {
    let fault = |settings| Fastly::new(crate::client(), settings).expect_err("refused");
    for api_url in ["", "cdn.example.org", "ftp://cdn.example.org"] {
        assert!(matches!(fault(settings(api_url)), SettingsError::Url { seen } if seen == api_url));
    }
    for id in ["", "../token", "a/b", "a b"] {
        let service_id = id.to_owned();
        let broken = FastlySettings {
            service_id,
            ..settings("https://cdn.example.org")
        };
        assert!(matches!(fault(broken), SettingsError::ServiceId { seen } if seen == id));
    }
    let broken = FastlySettings {
        token: "".into(),
        ..settings("https://cdn.example.org")
    };
    assert!(matches!(fault(broken), SettingsError::Token));
}
