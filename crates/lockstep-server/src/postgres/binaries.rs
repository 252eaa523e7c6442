//! Which installed PostgreSQL is run.
//!
//! Debian keeps its servers, several versions side by side, out of `PATH`; other systems don't.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::PostgresError;

/// What the queries and the migrations need.
const OLDEST: u32 = 15;

/// The programs of one installed version.
#[derive(Debug)]
pub(super) struct Binaries {
    pub(super) initdb: PathBuf,
    pub(super) pg_ctl: PathBuf,
    pub(super) postgres: PathBuf,
}

impl Binaries {
    /// The first in `PATH`, else Debian's newest, that is new enough; and of the version that made
    /// `cluster`, if that is there already.
    pub(super) fn find(cluster: &Path) -> Result<Self, PostgresError> {
        let made_by = fs::read_to_string(cluster.join("PG_VERSION"))
            .ok()
            .and_then(|text| text.trim().parse::<u32>().ok());
        let mut seen = Vec::new();
        for folder in folders() {
            let Some(version) = version(&folder) else {
                continue;
            };
            if made_by.map_or(version >= OLDEST, |made_by| version == made_by) {
                return Ok(Self {
                    initdb: folder.join("initdb"),
                    pg_ctl: folder.join("pg_ctl"),
                    postgres: folder.join("postgres"),
                });
            }
            seen.push(version.to_string());
        }
        let seen = match (made_by, seen.is_empty()) {
            (Some(made_by), _) => format!(
                "{} was made by PostgreSQL {made_by}, which is not installed",
                cluster.display()
            ),
            (None, true) => "no PostgreSQL server was found on this machine".to_owned(),
            (None, false) => format!("only PostgreSQL {} was found", seen.join(", ")),
        };
        Err(PostgresError::NotInstalled { seen })
    }
}

/// Folders that may hold the programs, the preferred first.
fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<_> = versions
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter_map(|path| Some((number(path.file_name())?, path)))
        .collect();
    versions.sort();
    folders.extend(versions.into_iter().rev().map(|(_, path)| path.join("bin")));
    folders.retain(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file());
    folders
}

fn number(name: Option<&OsStr>) -> Option<u32> {
    name?.to_str()?.parse().ok()
}

/// The major version of the server in `folder`, from `postgres (PostgreSQL) 15.18 (Debian …)`.
fn version(folder: &Path) -> Option<u32> {
    let output = Command::new(folder.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let number = text.split_whitespace().nth(2)?;
    let digits = number
        .split(|letter: char| !letter.is_ascii_digit())
        .next()?;
    digits.parse().ok()
}
