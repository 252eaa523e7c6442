//! Each method's result, type by type.

use anyhow::Context as _;
use lockstep_tests::dist::{Opts, sdist, wheel};
use lockstep_tests::index::TestIndex;
use serde_json::{Value, json};

use super::{python, value};
use crate::http::get;
use crate::read::{sample, upload};

/// Two projects; the serials are those of the rows below.
async fn index() -> anyhow::Result<TestIndex> {
    let index = sample().await?;
    let opts = Opts {
        summary: Some("Un café & <more>".to_owned()),
        ..Opts::default()
    };
    let candidate = wheel("Sample_Project", "1.1rc1", &opts);
    upload(&index, "Sample_Project", "1.1rc1", &candidate).await?;
    let other = sdist("other", "0.1", &Opts::default());
    upload(&index, "other", "0.1", &other).await?;
    index.settle()?;
    Ok(index)
}

const ROWS: [(&str, Option<&str>, &str); 9] = [
    ("Sample_Project", None, "create"),
    ("Sample_Project", Some("1.0"), "new release"),
    (
        "Sample_Project",
        Some("1.0"),
        "add py3 file sample_project-1.0-py3-none-any.whl",
    ),
    (
        "Sample_Project",
        Some("1.0"),
        "add source file sample_project-1.0.tar.gz",
    ),
    ("Sample_Project", Some("1.1rc1"), "new release"),
    (
        "Sample_Project",
        Some("1.1rc1"),
        "add py3 file sample_project-1.1rc1-py3-none-any.whl",
    ),
    ("other", None, "create"),
    ("other", Some("0.1"), "new release"),
    ("other", Some("0.1"), "add source file other-0.1.tar.gz"),
];

/// The rows with the times that the changelog tells, as `changelog_since_serial` has them.
async fn rows(index: &TestIndex) -> anyhow::Result<Vec<Value>> {
    let told = get(index, "/changelog/", &[]).await?.json()?;
    let told = told["changes"].as_array().context("no changes")?;
    assert_eq!(told.len(), ROWS.len());
    let rows = told.iter().zip(ROWS).enumerate();
    rows.map(|(number, (row, (name, version, action)))| {
        let at: jiff::Timestamp = row["timestamp"].as_str().context("no time")?.parse()?;
        Ok(json!([name, version, at.as_second(), action, number + 1]))
    })
    .collect()
}

#[tokio::test]
async fn changelog_and_lists() -> anyhow::Result<()> {
    let index = index().await?;
    let rows = rows(&index).await?;
    assert_eq!(value(&index, "changelog_last_serial", &json!([]))?, 9);
    let rest = |from: usize| json!(rows[from..]);
    for (after, expected) in [(0, rest(0)), (7, rest(7)), (9, json!([])), (77, json!([]))] {
        let found = value(&index, "changelog_since_serial", &json!([after]))?;
        assert_eq!(found, expected, "after {after}");
    }
    let with_ids: Vec<Value> = rows
        .iter()
        .cloned()
        .map(|mut row| {
            if row[0] == "Sample_Project" {
                row[0] = json!("sample-project");
            }
            row
        })
        .collect();
    assert_eq!(
        value(&index, "changelog", &json!([0, true]))?,
        json!(with_ids)
    );
    let without: Vec<Value> = with_ids
        .iter()
        .map(|row| json!(row.as_array().map(|columns| &columns[..4])))
        .collect();
    for arguments in [json!([0]), json!([0, false]), json!([-1])] {
        assert_eq!(value(&index, "changelog", &arguments)?, json!(without));
    }
    for later in [4_102_444_800_i64, i64::MAX / 2] {
        // Beyond 32 bits Python sends what our parser must take, too.
        let call = format!("<param><value><i8>{later}</i8></value></param>");
        let got = super::refused::post(&index, &super::refused::call("changelog", &call)).await?;
        assert!(got.text().contains("<data></data>"), "{}", got.text());
    }

    let listed = value(&index, "list_packages_with_serial", &json!([]))?;
    assert_eq!(listed, json!({"Sample_Project": 6, "other": 9}));
    let listed = value(&index, "list_packages", &json!([]))?;
    assert_eq!(listed, json!(["other", "sample-project"]));
    Ok(())
}

#[tokio::test]
async fn hashes_are_those_of_the_changelog() -> anyhow::Result<()> {
    let index = index().await?;
    let told = value(&index, "changelog_since_serial_with_hashes", &json!([0]))?;
    let rows = rows(&index).await?;
    assert_eq!(told.as_array().map(Vec::len), Some(9));
    for (number, row) in rows.iter().enumerate() {
        let http = get(&index, &format!("/changelog/{}", number + 1), &[]).await?;
        let http = http.json()?;
        let expected = json!({
            "serial": row[4], "name": row[0], "version": row[1], "timestamp": row[2],
            "action": row[3],
            "page_sha256": http["page"]["html"]["sha256"],
            "page_json_sha256": http["page"]["json"]["sha256"],
            "content_sha256": http["content"]["sha256"],
            "files_sha256": http["files"]["sha256"],
            "added": http["files"]["added"],
            "removed": http["files"]["removed"],
        });
        assert_eq!(told[number], expected);
    }

    let last = get(&index, "/changelog/6", &[]).await?.json()?;
    let files = get(&index, "/changelog/6/files", &[]).await?.text();
    let files: Value = files
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(hash, name)| (name.to_owned(), json!(hash)))
        .collect();
    assert_eq!(files.as_object().map(serde_json::Map::len), Some(3));
    for spelling in ["sample-project", "Sample.Project"] {
        let hashes = value(&index, "page_hashes", &json!([spelling]))?;
        let expected = json!({
            "serial": 6,
            "html": last["page"]["html"]["sha256"],
            "json": last["page"]["json"]["sha256"],
            "content": last["content"]["sha256"],
            "files": last["files"]["sha256"],
        });
        assert_eq!(hashes, expected, "{spelling}");
        assert_eq!(value(&index, "file_hashes", &json!([spelling]))?, files);
    }
    Ok(())
}

#[tokio::test]
async fn releases_and_their_files() -> anyhow::Result<()> {
    let index = index().await?;
    for (arguments, expected) in [
        // A final release goes before a newer candidate.
        (json!(["sample-project"]), json!(["1.0"])),
        (json!(["Sample_Project", false]), json!(["1.0"])),
        (json!(["sample-project", true]), json!(["1.1rc1", "1.0"])),
    ] {
        let found = value(&index, "package_releases", &arguments)?;
        assert_eq!(found, expected, "{arguments}");
    }
    let document = get(&index, "/pypi/sample-project/1.0/json", &[]).await?;
    let document = document.json()?;
    let base = index.url();
    let mut expected = Vec::new();
    for entry in document["urls"].as_array().context("no urls")? {
        let url = entry["url"].as_str().context("no url")?;
        let seconds = entry["upload_time"].as_str().unwrap_or_default();
        expected.push(json!({
            "filename": entry["filename"],
            "packagetype": entry["packagetype"],
            "python_version": entry["python_version"],
            "requires_python": ">=3.8,<4",
            "size": entry["size"],
            "md5_digest": entry["digests"]["md5"],
            "sha256_digest": entry["digests"]["sha256"],
            "digests": entry["digests"],
            "has_sig": false,
            "upload_time": {"dateTime": seconds.replace('-', "")},
            "upload_time_iso_8601": entry["upload_time_iso_8601"],
            "comment_text": "",
            "downloads": -1,
            "path": url.strip_prefix(&format!("{base}/packages/")),
            "url": url,
        }));
        let path = url.strip_prefix(&base).context("elsewhere")?;
        let bytes = get(&index, path, &[]).await?.body;
        let hash = lockstep_core::digest::Sha256::of(&bytes).to_string();
        assert_eq!(entry["digests"]["sha256"], hash);
    }
    assert_eq!(expected.len(), 2);
    for version in ["1.0", "v1.0.0"] {
        let found = value(&index, "release_urls", &json!(["Sample-Project", version]))?;
        assert_eq!(found, json!(expected), "{version}");
    }

    let data = value(
        &index,
        "release_data",
        &json!(["sample-project", "1.1.RC1"]),
    )?;
    let page = format!("{base}/project/sample-project/");
    for (key, expected) in [
        ("name", json!("Sample_Project")),
        ("version", json!("1.1rc1")),
        ("stable_version", json!("1.0")),
        ("summary", json!("Un café & <more>")),
        ("package_url", json!(page)),
        ("release_url", json!(format!("{page}1.1rc1/"))),
        ("requires_python", Value::Null),
        ("classifiers", json!([])),
        ("author", Value::Null),
        (
            "downloads",
            json!({"last_day": -1, "last_week": -1, "last_month": -1}),
        ),
    ] {
        assert_eq!(data[key], expected, "{key}");
    }
    assert_eq!(data.as_object().map(serde_json::Map::len), Some(32));
    let older = value(&index, "release_data", &json!(["sample-project", "1.0"]))?;
    assert_eq!(older["requires_python"], ">=3.8,<4");
    Ok(())
}

#[tokio::test]
async fn what_is_not_there_is_empty_and_no_fault() -> anyhow::Result<()> {
    let index = index().await?;
    let calls = json!([
        ["/pypi", "package_releases", ["nobody"]],
        ["/pypi", "package_releases", ["no name, this", true]],
        ["/pypi", "release_urls", ["nobody", "1.0"]],
        ["/pypi", "release_urls", ["sample-project", "7"]],
        ["/pypi", "release_urls", ["sample-project", "no version"]],
        ["/pypi", "package_roles", ["sample-project"]],
        ["/pypi", "release_data", ["nobody", "1.0"]],
        ["/pypi", "release_data", ["sample-project", "7"]],
        ["/pypi", "release_data", ["", ""]],
        ["/pypi", "page_hashes", ["nobody"]],
        ["/pypi", "page_hashes", ["no name, this"]],
        ["/pypi", "file_hashes", ["nobody"]],
    ]);
    for (number, answer) in python(&index, &calls)?.into_iter().enumerate() {
        let nothing = if number < 6 { json!([]) } else { json!({}) };
        assert_eq!(answer, json!(["value", nothing]), "{}", calls[number]);
    }
    Ok(())
}

#[tokio::test]
async fn three_addresses_and_a_list_of_methods() -> anyhow::Result<()> {
    let index = index().await?;
    let calls = json!([
        ["/pypi", "changelog_last_serial", []],
        ["/pypi/", "changelog_last_serial", []],
        ["/RPC2", "changelog_last_serial", []],
        ["/RPC2", "system.listMethods", []],
    ]);
    let methods = json!([
        "changelog",
        "changelog_last_serial",
        "changelog_since_serial",
        "changelog_since_serial_with_hashes",
        "file_hashes",
        "list_packages",
        "list_packages_with_serial",
        "package_releases",
        "package_roles",
        "page_hashes",
        "release_data",
        "release_urls",
        "system.listMethods",
        "system.multicall",
    ]);
    let nine = json!(["value", 9]);
    let expected = vec![nine.clone(), nine.clone(), nine, json!(["value", methods])];
    assert_eq!(python(&index, &calls)?, expected);
    Ok(())
}
