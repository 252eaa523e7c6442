//! Other spellings, unknown names, and `X-Min-Serial`.

use lockstep_tests::dist::{Opts, wheel};

use super::{sample, upload};
use crate::http::get;

#[tokio::test]
async fn other_spellings_are_redirected_for_good() -> anyhow::Result<()> {
    let index = sample().await?;
    for (path, to) in [
        ("/simple", "/simple/"),
        ("/simple/sample-project", "/simple/sample-project/"),
        ("/simple/Sample_Project", "/simple/sample-project/"),
        ("/simple/Sample_Project/", "/simple/sample-project/"),
        ("/simple/sample.-_project/", "/simple/sample-project/"),
        ("/simple/Not_There/", "/simple/not-there/"),
        ("/pypi/Sample_Project/json", "/pypi/sample-project/json"),
        (
            "/pypi/Sample_Project/1.0/json",
            "/pypi/sample-project/1.0/json",
        ),
        ("/changelog", "/changelog/"),
    ] {
        let got = get(&index, path, &[]).await?;
        assert_eq!((got.status, got.header("location")), (301, to), "{path}");
        assert_eq!(got.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(
            got.header("surrogate-key"),
            "",
            "{path}: it never has to be purged"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_is_not_there_yet_is_404_with_the_key_that_purges_it() -> anyhow::Result<()> {
    let index = sample().await?;
    for path in [
        "/simple/not-there/",
        "/pypi/not-there/json",
        "/pypi/not-there/1.0/json",
    ] {
        let got = get(&index, path, &[]).await?;
        assert_eq!(
            (got.status, got.header("surrogate-key")),
            (404, "project-not-there"),
            "{path}"
        );
        assert_eq!(got.header("surrogate-control"), "max-age=60", "{path}");
        assert_eq!(got.header("access-control-allow-origin"), "*", "{path}");
    }
    let unreleased = get(&index, "/pypi/sample-project/9.9/json", &[]).await?;
    assert_eq!(unreleased.status, 404);
    assert_eq!(unreleased.header("surrogate-key"), "project-sample-project");
    assert_eq!(unreleased.json()?["message"], "Not Found");
    for path in [
        "/simple/-/",
        "/simple/%20/",
        "/simple/a%2Fb/",
        "/simple/%FF/",
        "/simple/..%2f/",
        "/pypi/-/json",
        "/pypi/sample-project/one/json",
        "/nothing/here",
        "/simple/sample-project/more",
    ] {
        let got = get(&index, path, &[]).await?;
        assert!([400, 404].contains(&got.status), "{path}: {}", got.status);
        assert_eq!(got.header("surrogate-key"), "", "{path}");
    }
    let long = format!("/simple/{}/", "a".repeat(5000));
    assert_eq!(get(&index, &long, &[]).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn a_state_that_is_not_there_yet_is_never_answered_by_an_older_one() -> anyhow::Result<()> {
    let index = sample().await?;
    for path in ["/simple/sample-project/", "/pypi/sample-project/json"] {
        let last: u64 = get(&index, path, &[])
            .await?
            .header("x-pypi-last-serial")
            .parse()?;
        for (asked, status) in [
            ("0".to_owned(), 200),
            (last.to_string(), 200),
            ((last + 1).to_string(), 503),
            ("9223372036854775807".to_owned(), 503),
            ("18446744073709551615".to_owned(), 400),
            ("-1".to_owned(), 400),
            ("+1".to_owned(), 400),
            ("1.0".to_owned(), 400),
            ("newest".to_owned(), 400),
            (String::new(), 400),
        ] {
            let got = get(&index, path, &[("x-min-serial", &asked)]).await?;
            assert_eq!(
                got.status,
                status,
                "{path}: X-Min-Serial {asked:?}: {}",
                got.text()
            );
            if status == 503 {
                assert_eq!(got.header("retry-after"), "1", "{path} {asked}");
            }
            if status != 200 {
                assert_eq!(got.header("cache-control"), "no-store", "{path} {asked}");
                assert_eq!(got.header("surrogate-control"), "", "{path} {asked}");
            }
        }
        // Not even by saying "you have it".
        let tag = get(&index, path, &[]).await?.header("etag").to_owned();
        let headers = [("if-none-match", tag.as_str()), ("x-min-serial", "1000")];
        assert_eq!(get(&index, path, &headers).await?.status, 503);
    }
    // Of a project that is to come: 503, or the 404 would be believed.
    let asked = [("x-min-serial", "1000")];
    assert_eq!(get(&index, "/simple/to-come/", &asked).await?.status, 503);
    let dist = wheel("to-come", "1.0", &Opts::default());
    let serial = upload(&index, "to-come", "1.0", &dist)
        .await?
        .serial
        .unwrap_or_default();
    let asked = serial.to_string();
    assert_eq!(
        get(&index, "/simple/to-come/", &[("x-min-serial", &asked)])
            .await?
            .status,
        200
    );
    Ok(())
}
