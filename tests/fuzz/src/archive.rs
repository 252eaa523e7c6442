//! Archives as they are uploaded, read by the server and then once more by simpler means.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};
use std::path::{Component, Path};

use flate2::read::MultiGzDecoder;
use lockstep_core::filename::DistKind;
use lockstep_server::publish::archive::{ArchiveError, Found, Limits, read_metadata};

use crate::server::server;

/// The bytes of a wheel: of an accepted one, a reader that goes through it from the front and one that
/// begins at the directory see the same files, each once and each inside.
pub fn wheel(bytes: &[u8]) -> bool {
    let Some(found) = read(bytes, DistKind::Wheel) else {
        return false;
    };
    check_wheel(bytes, &found);
    true
}

/// The bytes of an sdist: all that an accepted one unpacks is in its one folder.
pub fn sdist(bytes: &[u8]) -> bool {
    let Some(found) = read(bytes, DistKind::Sdist) else {
        return false;
    };
    check_sdist(bytes, &found);
    true
}

fn read(bytes: &[u8], kind: DistKind) -> Option<Found> {
    let server = server();
    let limits: Limits = server.app.settings.upload.archive_limits();
    let path = server.folder().join("archive");
    std::fs::write(&path, bytes).expect("written");
    match read_metadata(&path, kind, limits) {
        Ok(found) => {
            check_found(&found);
            Some(found)
        }
        Err(ArchiveError::Disk(error)) => panic!("the archive is blamed on the disk: {error}"),
        Err(error) => {
            let text = error.to_string();
            assert!(
                text.bytes().all(|byte| matches!(byte, b' '..=b'~')),
                "{text:?}"
            );
            assert!(text.len() < 1000, "{text}");
            None
        }
    }
}

fn check_found(found: &Found) {
    assert!(found.metadata.len() <= 4 << 20, "more than all members may");
    assert!(!found.folder.contains('/'), "{}", found.folder);
    assert!(!["", ".", ".."].contains(&found.folder.as_str()));
    for path in &found.licenses {
        assert!(is_inside(Path::new(path)), "{path}");
    }
}

fn check_wheel(bytes: &[u8], found: &Found) {
    let archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    let listed: BTreeSet<String> = archive
        .file_names()
        .map(|name| name.expect("a name").into_owned())
        .collect();
    let mut rest = Cursor::new(bytes);
    let mut met = BTreeSet::new();
    loop {
        match zip::read::read_zipfile_from_stream(&mut rest) {
            Ok(Some(mut member)) => {
                let name = member.name().expect("a name").into_owned();
                assert!(is_inside(Path::new(&name)), "{name}");
                std::io::copy(&mut member, &mut std::io::sink()).expect("readable from the front");
                assert!(met.insert(name.clone()), "{name} is there twice");
            }
            Ok(None) => break,
            // It can't read members whose length stands behind them.
            Err(_) => return,
        }
    }
    assert_eq!(met, listed);
    for file in ["METADATA", "WHEEL", "RECORD"] {
        assert!(met.contains(&format!("{}/{file}", found.folder)), "{file}");
    }
}

fn check_sdist(bytes: &[u8], found: &Found) {
    let mut archive = tar::Archive::new(MultiGzDecoder::new(bytes));
    let mut documents = 0;
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("a member");
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            continue;
        }
        let path = entry.path().expect("a path").into_owned();
        assert!(is_inside(&path), "{}", path.display());
        let mut parts = path.iter().filter(|part| *part != ".");
        if let Some(top) = parts.next() {
            assert_eq!(top.to_string_lossy(), found.folder);
        }
        assert!(
            kind.is_file()
                || kind.is_dir()
                || kind.is_contiguous()
                || kind.is_symlink()
                || kind.is_hard_link()
        );
        if kind.is_file()
            && parts.next().is_some_and(|it| it == "PKG-INFO")
            && parts.next().is_none()
        {
            documents += 1;
            let mut text = Vec::new();
            entry.read_to_end(&mut text).expect("readable");
            assert_eq!(text, found.metadata);
        }
    }
    assert_eq!(documents, 1);
}

fn is_inside(path: &Path) -> bool {
    let harmless = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    path.components().all(harmless)
}
