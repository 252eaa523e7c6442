//! Tokens that do not allow the upload. All are 403, and the client can read why, however much it
//! is still sending.

use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;

use super::{check, plain_wheel, row};

#[tokio::test]
async fn each_bad_token_is_told_why() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let create = |name: &str, scope: &str| -> anyhow::Result<String> {
        let secret = index.lockstep(&["token", "create", "--name", name, "--scope", scope])?;
        Ok(secret.trim().to_owned())
    };
    let (manage, alpha) = (
        create("manage", "manage")?,
        create("alpha", "upload:alpha")?,
    );
    let (expired, revoked) = (create("old", "upload")?, create("gone", "upload")?);
    let past =
        "update tokens set expires_at = clock_timestamp() - interval '1 s' where name = 'old'";
    index.database().query(past)?;
    index.lockstep(&["token", "revoke", "gone"])?;

    let beta = plain_wheel("beta", "1.0");
    // Larger than every buffer on the way: the answer comes while the client still sends.
    let big = wheel(
        "beta",
        "1.0",
        &Opts {
            payload: 20_000_000,
            ..Opts::default()
        },
    );
    let by = |token: &str| Form {
        token: token.to_owned(),
        ..Form::of("beta", "1.0", &beta)
    };
    let big_by = |token: &str| Form {
        token: token.to_owned(),
        ..Form::of("beta", "1.0", &big)
    };
    check(
        &index,
        &[
            row("no token", 403, "expected the user name __token__", &by("")),
            row(
                "a password that is no token",
                403,
                "expected the user name",
                &by("secret"),
            ),
            row(
                "unknown token",
                403,
                "unknown, expired or revoked",
                &by("lsk_nobody-has-this"),
            ),
            row(
                "token without the scope",
                403,
                "does not allow uploads",
                &by(&manage),
            ),
            row(
                "token of another project",
                403,
                "uploads to project `beta`",
                &by(&alpha),
            ),
            row(
                "expired token",
                403,
                "unknown, expired or revoked",
                &by(&expired),
            ),
            row(
                "revoked token",
                403,
                "unknown, expired or revoked",
                &by(&revoked),
            ),
            row(
                "20 MB without a token",
                403,
                "expected the user name",
                &big_by(""),
            ),
            row(
                "20 MB with a bad token",
                403,
                "unknown, expired",
                &big_by("lsk_nobody-has-this"),
            ),
            row(
                "20 MB without the scope",
                403,
                "does not allow uploads",
                &big_by(&manage),
            ),
        ],
    )
    .await?;

    // And the token of that project does what it is for, in another spelling too.
    let dist = plain_wheel("Alpha", "1.0");
    let form = Form {
        token: alpha,
        ..Form::of("Alpha", "1.0", &dist)
    };
    let answer = form.send(&index).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    Ok(())
}
