//! Failed log-ins: counted per address and per beginning of a token, and never at the cost of a right
//! token.

use lockstep_tests::index::{TOKEN, TestIndex};

use super::index_with;
use crate::http::{Got, client, finish};
use crate::refusals::state::State;

/// Orders something for a project that there is not: a right token is told so by 404.
async fn log_in(index: &TestIndex, token: &str, forwarded_for: &str) -> anyhow::Result<Got> {
    let url = format!("{}/api/projects/nothing", index.url());
    let request = client()?.delete(url).bearer_auth(token);
    finish(request.header("x-forwarded-for", forwarded_for)).await
}

async fn statuses(
    index: &TestIndex,
    attempts: &[(&str, &str)],
) -> anyhow::Result<Vec<(u16, String)>> {
    let mut all = Vec::new();
    for (token, forwarded_for) in attempts {
        let got = log_in(index, token, forwarded_for).await?;
        all.push((got.status, got.header("retry-after").to_owned()));
    }
    Ok(all)
}

#[tokio::test]
async fn wrong_tokens_are_slowed_down_and_right_ones_are_not() -> anyhow::Result<()> {
    let mut index =
        index_with("trusted_proxies = ['127.0.0.0/8']\n[limits]\nfailed_logins = '3/h'\n")?;
    let before = State::of(&index)?;
    // One address tries several tokens. In an hour three may fail, so the next may in twenty minutes.
    let attempts = ["lsk_aaaaaa1", "lsk_bbbbbb1", "lsk_cccccc1"].map(|token| (token, "192.0.2.1"));
    assert!(
        statuses(&index, &attempts)
            .await?
            .iter()
            .all(|(status, _)| *status == 403)
    );
    let got = log_in(&index, "lsk_dddddd1", "192.0.2.1").await?;
    assert_eq!(got.status, 429, "{}", got.text());
    assert_eq!(got.json()?["code"], "too-many-failed-log-ins");
    let wait: u32 = got.header("retry-after").parse()?;
    assert!((1100..=1200).contains(&wait), "{wait}");
    // The right token goes in from there, and from anywhere; a client's own word changes nothing.
    assert_eq!(log_in(&index, TOKEN, "192.0.2.1").await?.status, 404);
    assert_eq!(
        log_in(&index, "lsk_dddddd2", "192.0.2.9, 192.0.2.1")
            .await?
            .status,
        429
    );
    assert_eq!(
        log_in(&index, "lsk_dddddd3", "192.0.2.2").await?.status,
        403
    );

    // Many addresses try tokens that begin as the right one does.
    let wrong = [1, 2, 3, 4].map(|n| format!("{}{n}", &TOKEN[..12]));
    let from = [
        "198.51.100.1",
        "198.51.100.2",
        "198.51.100.3",
        "198.51.100.4",
    ];
    let attempts: Vec<_> = wrong.iter().map(String::as_str).zip(from).collect();
    let got: Vec<_> = statuses(&index, &attempts)
        .await?
        .into_iter()
        .map(|(status, _)| status)
        .collect();
    assert_eq!(got, [403, 403, 403, 429]);
    for from in ["198.51.100.4", "203.0.113.1"] {
        assert_eq!(log_in(&index, TOKEN, from).await?.status, 404, "{from}");
    }
    // Who shows no token at all is told what to do, and is not counted.
    for _ in 0..5 {
        assert_eq!(log_in(&index, "secret", "203.0.113.2").await?.status, 403);
    }
    assert_eq!(
        log_in(&index, "lsk_eeeeee1", "203.0.113.2").await?.status,
        403
    );
    assert_eq!(State::of(&index)?, before);
    assert!(!index.log().contains("\"WARN\""), "{}", index.log());

    // Without a trusted proxy the address is the connection's, whatever is said.
    index.options.settings = "[limits]\nfailed_logins = '3/h'\n".to_owned();
    index.restart()?;
    let attempts: Vec<_> = ["lsk_aaaaaa", "lsk_bbbbbb", "lsk_cccccc", "lsk_dddddd"]
        .into_iter()
        .zip(from)
        .collect();
    let got: Vec<_> = statuses(&index, &attempts)
        .await?
        .into_iter()
        .map(|(status, _)| status)
        .collect();
    assert_eq!(got, [403, 403, 403, 429]);
    assert_eq!(log_in(&index, TOKEN, from[0]).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn a_token_has_an_end_and_tells_its_last_use() -> anyhow::Result<()> {
    let index = index_with("")?;
    let create = ["token", "create", "--scope", "manage", "--name"];
    let secret = |name: &str, more: &[&str]| -> anyhow::Result<String> {
        let arguments = [&create[..], &[name], more].concat();
        Ok(index.lockstep(&arguments)?.trim().to_owned())
    };
    let (for_ever, for_a_day) = (secret("a", &[])?, secret("b", &["--expires", "1d"])?);
    let last_use = |name: &str| -> anyhow::Result<String> {
        let list = index.lockstep(&["token", "list"])?;
        let line = list
            .lines()
            .find(|line| line.starts_with(&format!("{name}\t")));
        Ok(line
            .and_then(|line| line.split('\t').next_back())
            .unwrap_or_default()
            .to_owned())
    };
    assert_eq!(
        (last_use("a")?, last_use("b")?),
        ("-".to_owned(), "-".to_owned())
    );
    for token in [&for_ever, &for_a_day] {
        assert_eq!(log_in(&index, token, "").await?.status, 404);
    }
    assert!(last_use("a")?.ends_with('Z') && last_use("b")?.ends_with('Z'));
    index
        .database()
        .query("update tokens set expires_at = clock_timestamp() where name = 'b'")?;
    index.lockstep(&["token", "revoke", "a"])?;
    for token in [&for_ever, &for_a_day] {
        assert_eq!(log_in(&index, token, "").await?.status, 403);
    }
    // A name is not given twice, and what is revoked is revoked.
    for again in [
        &["token", "revoke", "a"][..],
        &[&create[..], &["a"]].concat(),
    ] {
        assert!(!index.try_lockstep(again)?.status.success(), "{again:?}");
    }
    // Nothing of the secret is kept.
    let kept = index
        .database()
        .query("select tokens::text from tokens where name = 'a'")?;
    assert!(
        !kept.contains(&for_ever) && !kept.contains(&for_ever[4..]),
        "{kept}"
    );
    Ok(())
}
