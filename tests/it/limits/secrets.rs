//! No log holds a secret, however much is logged and whatever goes wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lockstep_tests::index::{Options, TOKEN, TestIndex};
use reqwest::Method;

use super::{form, request_of, upload, wait_until};
use crate::http::{ask, client, finish};

const PASSWORD: &str = "the-password-of-the-database";
const PURGE_TOKEN: &str = "the-token-that-purges";
const PROBE_TOKEN: &str = "the-token-that-asks-every-pop";
const UNKNOWN: &str = "lsk_nobody-has-this-one-but-it-may-be-anothers";
const PASSPHRASE: &str = "a-password-that-is-no-token";

/// An index that logs all it can, with a secret wherever one can be given.
fn talkative() -> anyhow::Result<TestIndex> {
    let settings = format!(
        "[[cdn]]\nname = 'fastly'\nkind = 'fastly'\nservice_id = 'abc'\ntoken = '{PURGE_TOKEN}'\n\
         api_url = 'http://127.0.0.1:9'\n\
         [[probe]]\nname = 'pops'\nkind = 'fastly-edge-check'\nurl = 'http://127.0.0.1:9'\n\
         token = '{PROBE_TOKEN}'\napi_url = 'http://127.0.0.1:9'\n\
         [upload]\nrate = '100/h'\n"
    );
    let mut index = TestIndex::with(Options {
        settings,
        leftovers: true,
        ..Options::default()
    })?;
    let url = index
        .database()
        .url()
        .replacen('@', &format!(":{PASSWORD}@"), 1);
    anyhow::ensure!(url.contains(PASSWORD), "{url}");
    index.options.environment = vec![
        ("RUST_LOG".to_owned(), "trace".to_owned()),
        ("LOCKSTEP__DATABASE_URL".to_owned(), url),
    ];
    index.restart()?;
    Ok(index)
}

#[tokio::test]
async fn nothing_secret_is_logged_at_any_level() -> anyhow::Result<()> {
    let mut index = talkative()?;
    let output = index.try_lockstep(&["token", "create", "--name", "new", "--scope", "upload"])?;
    let created = String::from_utf8(output.stdout)?.trim().to_owned();
    assert!(created.starts_with("lsk_"), "{created}");
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();

    // Uploads by both forms, good and bad; orders; log-ins of all kinds.
    let by = |project: &str, token: &str| {
        let mut form = form(project, 10);
        token.clone_into(&mut form.token);
        form
    };
    assert_eq!(upload(&index, &by("alpha", TOKEN)).await?.status, 200);
    assert_eq!(upload(&index, &by("beta", &created)).await?.status, 200);
    let bearer = request_of(&index, &by("gamma", ""))?.bearer_auth(&created);
    // Two headers, of which the first is Basic without a password.
    assert_eq!(finish(bearer).await?.status, 403);
    for token in [UNKNOWN, PASSPHRASE] {
        assert_eq!(upload(&index, &by("delta", token)).await?.status, 403);
        let order = client()?
            .delete(format!("{}/api/projects/alpha", index.url()))
            .bearer_auth(token);
        assert_eq!(finish(order).await?.status, 403);
    }
    let mut broken = by("epsilon", &created);
    broken.fields.retain(|(name, _)| name != "name");
    assert_eq!(upload(&index, &broken).await?.status, 400);
    let order = client()?
        .delete(format!("{}/api/projects/alpha", index.url()))
        .bearer_auth(TOKEN);
    assert_eq!(finish(order).await?.status, 200);
    let headers = [("authorization", &*format!("Nonsense {TOKEN}"))];
    assert_eq!(
        ask(&index, Method::DELETE, "/api/projects/beta", &headers)
            .await?
            .status,
        403
    );
    // The loops have used what they have.
    wait_until("a purge has failed", || {
        Ok(index.log().contains("purge failed"))
    })?;
    for arguments in [
        &["config"][..],
        &["token", "list"],
        &["token", "revoke", "new"],
        &["fsck"],
    ] {
        let output = index.try_lockstep(arguments)?;
        said += &String::from_utf8_lossy(&output.stdout);
        said += &String::from_utf8_lossy(&output.stderr);
    }
    assert!(said.contains("(hidden)"), "lockstep config:\n{said}");
    assert!(index.stop()?);
    // A database that does not answer, either.
    index.options.environment[1].1 = format!("postgres://lockstep:{PASSWORD}@127.0.0.1:9/lockstep");
    let output = index.try_lockstep(&["serve"])?;
    assert!(!output.status.success());
    said += &String::from_utf8_lossy(&output.stderr);

    said += &index.log();
    assert!(
        said.contains("\"TRACE\"") && said.contains("\"DEBUG\""),
        "nothing was logged:\n{said}"
    );
    for secret in [
        TOKEN,
        &created,
        UNKNOWN,
        PASSPHRASE,
        PASSWORD,
        PURGE_TOKEN,
        PROBE_TOKEN,
    ] {
        let shown = STANDARD.encode(format!("__token__:{secret}"));
        let bare = secret.strip_prefix("lsk_").unwrap_or(secret);
        for text in [bare, &shown] {
            let line = said.lines().find(|line| line.contains(text));
            assert_eq!(line, None, "{text} is in the log");
        }
    }
    Ok(())
}
