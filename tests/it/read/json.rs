//! The legacy JSON API: every key of a document, which release is shown, and who is refused how.

use lockstep_tests::dist::{Dist, Opts, sdist, wheel};
use lockstep_tests::index::TestIndex;
use serde_json::{Value, json};

use super::upload;
use crate::http::get;

fn rich() -> Opts {
    let lines = [
        "Description-Content-Type: text/markdown",
        "Home-page: https://sample.example",
        "Author: Ada",
        "Author-email: ada@sample.example",
        "Maintainer-email: Grace <grace@sample.example>",
        "License: MIT",
        "Keywords: one,two",
        "Platform: any",
        "Platform: linux",
        "Classifier: Programming Language :: Python :: 3",
        "Classifier: License :: OSI Approved :: MIT License",
        "Requires-Dist: zlib >=1",
        "Requires-Dist: attrs; extra == 'more'",
        "Provides-Extra: more",
        "Project-URL: Zoo, https://sample.example/zoo",
        "Project-URL: Docs, https://sample.example/docs",
    ];
    Opts {
        summary: Some("A sample".to_owned()),
        requires_python: Some(">=3.8".to_owned()),
        fields: lines.map(str::to_owned).to_vec(),
        description: Some("# Sample\n".to_owned()),
        ..Opts::default()
    }
}

/// A file as the document must show it; digests and times are asked of the database.
fn file(index: &TestIndex, dist: &Dist, wheel: bool, python: &str) -> anyhow::Result<Value> {
    let column = |sql: &str| {
        let from = format!("from files where filename = '{}'", dist.filename);
        index.database().query(&format!("select {sql} {from}"))
    };
    let utc = "upload_time at time zone 'utc'";
    let blake = column("encode(blake2b_256, 'hex')")?;
    let metadata = column("encode(metadata_sha256, 'hex')")?;
    let path = format!(
        "{}/{}/{}/{}",
        &blake[..2],
        &blake[2..4],
        &blake[4..],
        dist.filename
    );
    let md5 = column("encode(md5, 'hex')")?;
    let micros = column(&format!("to_char({utc}, 'US')"))?;
    let seconds = column(&format!("to_char({utc}, 'YYYY-MM-DD\"T\"HH24:MI:SS')"))?;
    let fraction = if micros == "000000" {
        String::new()
    } else {
        format!(".{micros}")
    };
    Ok(json!({
        "comment_text": null,
        "core-metadata": if wheel { json!({"sha256": metadata}) } else { json!(false) },
        "digests": {"blake2b_256": blake, "md5": md5, "sha256": dist.sha256},
        "downloads": -1,
        "filename": dist.filename,
        "has_sig": false,
        "md5_digest": md5,
        "packagetype": if wheel { "bdist_wheel" } else { "sdist" },
        "python_version": python,
        "requires_python": ">=3.8",
        "size": dist.bytes.len(),
        "upload_time": seconds,
        "upload_time_iso_8601": format!("{seconds}{fraction}Z"),
        "url": format!("{}/packages/{path}", index.url()),
        "yanked": false,
        "yanked_reason": null,
    }))
}

#[tokio::test]
async fn a_document_has_every_key_and_nothing_else() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let (old, source) = (
        wheel("Sample.Project", "1.0", &rich()),
        sdist("Sample.Project", "1.0", &rich()),
    );
    let early = wheel("Sample.Project", "2.0rc1", &rich());
    upload(&index, "Sample.Project", "1.0", &old).await?;
    upload(&index, "Sample.Project", "1.0", &source).await?;
    let last = upload(&index, "Sample.Project", "2.0rc1", &early)
        .await?
        .serial;
    let (old, source, early) = (
        file(&index, &old, true, "py3")?,
        file(&index, &source, false, "source")?,
        file(&index, &early, true, "py3")?,
    );
    let page = format!("{}/project/sample-project/", index.url());
    let mut expected = json!({
        "info": {
            "author": "Ada",
            "author_email": "ada@sample.example",
            "bugtrack_url": null,
            "classifiers": [
                "Programming Language :: Python :: 3",
                "License :: OSI Approved :: MIT License",
            ],
            "description": "# Sample\n",
            "description_content_type": "text/markdown",
            "docs_url": null,
            "download_url": null,
            "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
            "dynamic": null,
            "home_page": "https://sample.example",
            "keywords": "one,two",
            "license": "MIT",
            "license_expression": null,
            "license_files": null,
            "maintainer": null,
            "maintainer_email": "Grace <grace@sample.example>",
            "name": "Sample.Project",
            "package_url": page,
            "platform": "any",
            "project_url": page,
            "project_urls": {
                "Zoo": "https://sample.example/zoo",
                "Docs": "https://sample.example/docs",
            },
            "provides_extra": ["more"],
            "release_url": format!("{page}1.0/"),
            "requires_dist": ["zlib >=1", "attrs; extra == 'more'"],
            "requires_python": ">=3.8",
            "summary": "A sample",
            "version": "1.0",
            "yanked": false,
            "yanked_reason": null,
        },
        "last_serial": last,
        "ownership": {"organization": null, "roles": []},
        "releases": {"2.0rc1": [early], "1.0": [old, source]},
        "urls": [old, source],
        "vulnerabilities": [],
    });
    let got = get(&index, "/pypi/sample-project/json", &[]).await?;
    assert_eq!(got.json()?, expected, "the final release is the latest");
    let text = got.text();
    let keys: Vec<_> = [
        "\"info\"",
        "\"last_serial\"",
        "\"ownership\"",
        "\"releases\"",
        "\"urls\"",
    ]
    .map(|key| text.find(key))
    .to_vec();
    assert!(
        keys.is_sorted() && keys.iter().all(Option::is_some),
        "{text}"
    );
    assert!(
        text.find("\"2.0rc1\":[") < text.find("\"1.0\":["),
        "newest first: {text}"
    );

    // Of one release: without the others.
    expected
        .as_object_mut()
        .and_then(|it| it.remove("releases"));
    for path in [
        "/pypi/sample-project/1.0/json",
        "/pypi/sample-project/1.0.0/json/",
    ] {
        assert_eq!(get(&index, path, &[]).await?.json()?, expected, "{path}");
    }
    expected["info"]["version"] = "2.0rc1".into();
    expected["info"]["release_url"] = format!("{page}2.0rc1/").into();
    expected["urls"] = json!([early]);
    let path = "/pypi/sample-project/2.0RC1/json";
    assert_eq!(get(&index, path, &[]).await?.json()?, expected, "{path}");
    Ok(())
}

#[tokio::test]
async fn a_release_that_says_little_has_all_keys_too() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let dist = wheel("bare", "1.0", &Opts::default());
    upload(&index, "bare", "1.0", &dist).await?;
    let got = get(&index, "/pypi/bare/json", &[]).await?.json()?;
    let info = got["info"].as_object().map(|info| {
        let null = info.iter().filter(|(_, value)| value.is_null());
        (
            info.len(),
            null.map(|(key, _)| key.as_str()).collect::<Vec<_>>(),
        )
    });
    let (keys, null) = info.unwrap_or_default();
    assert_eq!(keys, 30);
    let said = [
        "classifiers",
        "downloads",
        "name",
        "package_url",
        "project_url",
        "release_url",
    ];
    for key in said.into_iter().chain(["version", "yanked"]) {
        assert!(!null.contains(&key), "{key}");
    }
    assert_eq!(null.len(), keys - 8, "{null:?}");
    Ok(())
}

#[tokio::test]
async fn who_is_not_there_is_404_in_the_public_indexs_words() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    upload(
        &index,
        "sample",
        "1.0",
        &wheel("sample", "1.0", &Opts::default()),
    )
    .await?;
    index.settle()?;
    for (path, key) in [
        ("/pypi/absent/json", "project-absent"),
        ("/pypi/absent/1.0/json", "project-absent"),
        ("/pypi/sample/1.1/json", "project-sample"),
        ("/pypi/sample/one/json", ""),
        ("/pypi/-/json", ""),
    ] {
        let got = get(&index, path, &[]).await?;
        assert_eq!(
            (got.status, got.text().as_str()),
            (404, r#"{"message": "Not Found"}"#),
            "{path}"
        );
        assert_eq!(got.header("content-type"), "application/json", "{path}");
        assert_eq!(got.header("surrogate-key"), key, "{path}");
    }
    // What one installer asks of any index, and goes on without.
    assert_eq!(get(&index, "/sample/json", &[]).await?.status, 404);
    Ok(())
}
