//! Folders: what the real bandersnatch keeps, and a tree of copies as pep381client keeps it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use lockstep_tests::index::{TestIndex, client};

use super::{audit, page, upload};

#[tokio::test]
async fn a_bandersnatch_mirror_is_judged_by_its_content() -> anyhow::Result<()> {
    let Some(bandersnatch) = client("bandersnatch8", "bandersnatch")? else {
        return Ok(());
    };
    let index = TestIndex::start()?;
    let folder = tempfile::tempdir()?;
    upload(&index, "six", "1.0").await?;
    let attrs = upload(&index, "Attrs.X", "1.0").await?;
    index.settle()?;
    mirror(&bandersnatch, &index, folder.path())?;
    let tree = folder.path().join("mirror").display().to_string();
    let web = folder.path().join("mirror/web");
    audit(&index.url(), &tree, &[])?.is_exact(2);
    audit(
        &index.url(),
        &web.display().to_string(),
        &["--kind", "bandersnatch"],
    )?
    .is_exact(2);

    // An old page put back; before that, a mirror that has not been run.
    let old = web.join("simple/six");
    let old_pages = [old.join("index.html"), old.join("index.v1_json")];
    let old_bytes = [fs::read(&old_pages[0])?, fs::read(&old_pages[1])?];
    let newest = upload(&index, "six", "1.1").await?;
    index.settle()?;
    let words = format!("announced {newest}, {} serials behind since", newest - 3);
    let behind = [("behind six: shows serial 3 (20", words.as_str())];
    audit(&index.url(), &tree, &[])?.found(&behind);
    mirror(&bandersnatch, &index, folder.path())?;
    audit(&index.url(), &tree, &[])?.is_exact(2);
    let new_bytes = fs::read(&old_pages[1])?;
    fs::write(&old_pages[1], &old_bytes[1])?;
    let said = audit(&index.url(), &tree, &[])?;
    said.found(&[("behind six", "[JSON]")]);
    fs::write(&old_pages[1], new_bytes)?;

    // The header was right and the body old: the serial says one thing and the files another.
    let html = String::from_utf8(old_bytes[0].clone())?;
    fs::write(
        &old_pages[0],
        html.replace("SERIAL 3-", &format!("SERIAL {newest}-")),
    )?;
    audit(&index.url(), &tree, &[])?.found(&[("different six: lists no six-1.1", "[HTML")]);
    mirror_again(&bandersnatch, &index, folder.path())?;
    audit(&index.url(), &tree, &[])?.is_exact(2);

    // Files.
    let files = files_below(&web.join("packages"))?;
    let wheel = files
        .iter()
        .find(|path| path.to_string_lossy().ends_with("x-1.0-py3-none-any.whl"));
    let wheel = wheel.context("no wheel")?;
    let bytes = fs::read(wheel)?;
    fs::write(wheel, [bytes.as_slice(), b"x"].concat())?;
    audit(&index.url(), &tree, &[])?.found(&[("different attrs-x: attrs_x-1.0", "other bytes")]);
    fs::remove_file(wheel)?;
    audit(&index.url(), &tree, &[])?
        .found(&[("different attrs-x: attrs_x-1.0", "not in the folder")]);
    fs::write(wheel, bytes)?;

    // No page at all.
    fs::remove_dir_all(web.join("simple/attrs-x"))?;
    let words = format!("announced {attrs}");
    audit(&index.url(), &tree, &[])?.found(&[("missing attrs-x: no page", &words)]);
    Ok(())
}

pub(crate) fn mirror(bandersnatch: &Path, index: &TestIndex, folder: &Path) -> anyhow::Result<()> {
    run(bandersnatch, index, folder, &["mirror"])
}

/// Every project again, whatever the mirror thinks it has.
pub(super) fn mirror_again(
    bandersnatch: &Path,
    index: &TestIndex,
    folder: &Path,
) -> anyhow::Result<()> {
    run(bandersnatch, index, folder, &["mirror", "--force-check"])
}

fn run(program: &Path, index: &TestIndex, folder: &Path, words: &[&str]) -> anyhow::Result<()> {
    let settings = folder.join("bandersnatch.conf");
    let text = format!(
        "[mirror]\ndirectory = {}\njson = true\nmaster = {}\nallow-non-https = true\n\
         timeout = 10\nglobal-timeout = 120\nworkers = 3\nstop-on-error = false\n",
        folder.join("mirror").display(),
        index.url()
    );
    fs::write(&settings, text)?;
    let output = Command::new(program)
        .arg("-c")
        .arg(&settings)
        .args(words)
        .output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "bandersnatch failed:\n{log}");
    Ok(())
}

pub(crate) fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

#[tokio::test]
async fn a_tree_of_copies_is_judged_by_its_bytes() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let folder = tempfile::tempdir()?;
    let web = folder.path().join("web");
    upload(&index, "six", "1.0").await?;
    let old = page(&index, "six", false).await?;
    upload(&index, "attrs", "1.0").await?;
    let newest = upload(&index, "six", "1.1").await?;
    index.settle()?;
    for project in ["six", "attrs"] {
        copy(&index, project, &web).await?;
    }
    let tree = folder.path().display().to_string();
    audit(&index.url(), &tree, &[])?.is_exact(2);
    // As pep381client keeps it, beside its signatures.
    fs::create_dir(web.join("serversig"))?;
    audit(&index.url(), &tree, &[])?.is_exact(2);

    let path = web.join("simple/six/index.html");
    let right = fs::read(&path)?;
    fs::write(&path, old)?;
    let words = format!("announced {newest}, {} serials behind", newest - 3);
    audit(&index.url(), &tree, &[])?.found(&[("behind six: shows serial 3", &words)]);
    fs::write(&path, [right.as_slice(), b"\n"].concat())?;
    audit(&index.url(), &tree, &[])?.found(&[("different six: a page with sha256", "")]);
    fs::write(&path, right)?;

    for file in files_below(&web.join("packages"))? {
        if file.to_string_lossy().ends_with("six-1.0-py3-none-any.whl") {
            fs::remove_file(file)?;
        } else if file.to_string_lossy().ends_with("six-1.1-py3-none-any.whl") {
            fs::write(file, "x")?;
        }
    }
    audit(&index.url(), &tree, &["--kind", "pep381"])?.found(&[
        (
            "different six: six-1.0-py3-none-any.whl: ",
            "not in the folder",
        ),
        ("different six: six-1.1-py3-none-any.whl: ", "other bytes"),
    ]);
    Ok(())
}

/// A page, and the files it links to, as they are.
pub(crate) async fn copy(index: &TestIndex, project: &str, web: &Path) -> anyhow::Result<()> {
    let simple = web.join("simple").join(project);
    fs::create_dir_all(&simple)?;
    let html = page(index, project, false).await?;
    fs::write(simple.join("index.html"), &html)?;
    for part in String::from_utf8(html)?.split("href=\"../../").skip(1) {
        let path = part.split('#').next().context("no link")?;
        let bytes = reqwest::get(format!("{}/{path}", index.url()))
            .await?
            .bytes()
            .await?;
        let file = web.join(path);
        fs::create_dir_all(file.parent().context("no folder")?)?;
        fs::write(file, bytes)?;
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_read_in_a_folder_is_said_and_never_taken_for_right() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let folder = tempfile::tempdir()?;
    let web = folder.path().join("web");
    for project in ["attrs", "idna", "six"] {
        upload(&index, project, "1.0").await?;
        copy(&index, project, &web).await?;
    }
    index.settle()?;
    let tree = web.join("simple").display().to_string();
    audit(&index.url(), &tree, &[])?.is_exact(3);

    let page = |project: &str| web.join("simple").join(project).join("index.html");
    fs::remove_file(page("attrs"))?;
    symlink("index.html", page("attrs"))?;
    fs::remove_file(page("idna"))?;
    symlink("nothing.html", page("idna"))?;
    let files = files_below(&web.join("packages"))?;
    let six = files
        .iter()
        .find(|file| file.ends_with("six-1.0-py3-none-any.whl"));
    let six = six.context("no wheel")?;
    fs::remove_file(six)?;
    fs::create_dir(six)?;
    audit(&index.url(), &tree, &[])?.found(&[
        ("unreadable attrs: ", "symbolic links"),
        ("unreadable idna: ", "a symbolic link that leads nowhere"),
        (
            "unreadable six: six-1.0-py3-none-any.whl: ",
            "no plain file",
        ),
    ]);
    Ok(())
}

#[tokio::test]
async fn files_may_be_left_to_another_host_but_not_be_lost() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    upload(&index, "six", "1.0").await?;
    index.settle()?;
    let folder = tempfile::tempdir()?;
    // As bandersnatch keeps it with `hash-index`, and with `release-files = false` and a `root_uri`.
    let simple = folder.path().join("web/simple/s/six");
    fs::create_dir_all(&simple)?;
    fs::create_dir(folder.path().join("web/pypi"))?;
    let own = String::from_utf8(page(&index, "six", true).await?)?;
    let hosted = own.replace("../../packages/", "https://files.example.org/packages/");
    fs::write(simple.join("index.v1_json"), &hosted)?;
    let tree = folder.path().display().to_string();
    audit(&index.url(), &tree, &[])?.is_exact(1);
    // Links into the folder must lead to files.
    fs::write(
        simple.join("index.v1_json"),
        own.replace("../../", "../../../"),
    )?;
    audit(&index.url(), &tree, &[])?.found(&[
        (
            "different six: six-1.0-py3-none-any.whl: ",
            "not in the folder",
        ),
        (
            "different six: six-1.0-py3-none-any.whl.metadata: ",
            "not in the folder",
        ),
    ]);
    audit(&index.url(), &tree, &["--pages-only"])?.is_exact(1);
    Ok(())
}
