//! Real clients against a real Varnish in front of the index. Judged by what is on the page, in the
//! folder and in the changelog: their exit codes say success too often.

mod install;
mod lock;
mod mirror;
mod publish;
mod table;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use lockstep_tests::dist::{Dist, Opts, sdist, wheel};
use lockstep_tests::edge::Edge;
use tempfile::TempDir;
use zip::ZipArchive;

/// What a client did.
struct Ran {
    success: bool,
    /// Both its outputs.
    output: String,
}

/// A place where a client finds no configuration, cache or credentials but ours.
struct Home(TempDir);

/// A version of a project: a wheel and an sdist.
struct Release {
    wheel: Dist,
    sdist: Dist,
}

impl Release {
    /// Uploads both and waits until they are announced.
    async fn publish(
        edge: &Edge,
        name: &str,
        version: &str,
        requires_python: &str,
    ) -> anyhow::Result<Self> {
        let opts = Opts {
            requires_python: Some(requires_python.to_owned()),
            ..Opts::default()
        };
        let release = Self {
            wheel: wheel(name, version, &opts),
            sdist: sdist(name, version, &opts),
        };
        for dist in [&release.wheel, &release.sdist] {
            edge.upload(name, version, dist).await?;
        }
        edge.index.settle()?;
        Ok(release)
    }

    /// A list of pins has the hashes of this release's files, and no other.
    fn is_pinned(&self, pins: &str) -> anyhow::Result<()> {
        let found: BTreeSet<_> = pins
            .split("sha256:")
            .skip(1)
            .filter_map(|rest| rest.get(..64))
            .collect();
        let expected = BTreeSet::from([self.wheel.sha256.as_str(), self.sdist.sha256.as_str()]);
        ensure!(found == expected, "not the hashes {expected:?} in:\n{pins}");
        Ok(())
    }
}

/// What the wheel holds lies in `site`, byte for byte.
fn is_installed(wheel: &Dist, site: &Path) -> anyhow::Result<()> {
    let mut archive = ZipArchive::new(Cursor::new(&wheel.bytes))?;
    for number in 0..archive.len() {
        let mut member = archive.by_index(number)?;
        // The installer's own.
        if member.name()?.ends_with("/RECORD") {
            continue;
        }
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes)?;
        let path = site.join(&*member.name()?);
        let found = fs::read(&path).with_context(|| path.display().to_string())?;
        ensure!(found == bytes, "{} is not the wheel's", path.display());
    }
    Ok(())
}

impl Home {
    fn new() -> anyhow::Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes distributions for an uploader to read.
    fn put(&self, dist: &Dist) -> anyhow::Result<String> {
        let path = self.path().join(&dist.filename);
        fs::write(&path, &dist.bytes)?;
        Ok(path.to_str().context("not UTF-8")?.to_owned())
    }

    /// A command without this machine's settings for clients.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            let upper = name.to_uppercase();
            let ours = [
                "PIP_",
                "UV_",
                "TWINE_",
                "POETRY_",
                "BANDERSNATCH_",
                "PYTHON",
                "VIRTUAL_ENV",
            ];
            if ours.iter().any(|prefix| upper.starts_with(prefix)) || upper.ends_with("_PROXY") {
                command.env_remove(name);
            }
        }
        command
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path());
        command.env("XDG_CACHE_HOME", self.path().join("cache"));
        command
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("NO_COLOR", "1");
        command.current_dir(self.path());
        command
    }

    /// Runs a client to its end.
    fn run<S: AsRef<OsStr>>(&self, program: &Path, arguments: &[S]) -> anyhow::Result<Ran> {
        run(self.command(program).args(arguments))
    }

    /// The version that the client says it has: the first word of its answer that begins with a digit.
    fn version(&self, program: &Path) -> anyhow::Result<String> {
        let ran = self.run(program, &["--version"])?;
        let mut words = ran.output.split([' ', '(', ')', ',', '\n']);
        let version = words.find(|word| word.starts_with(|sign: char| sign.is_ascii_digit()));
        Ok(version.with_context(|| ran.output.clone())?.to_owned())
    }
}

fn run(command: &mut Command) -> anyhow::Result<Ran> {
    let output = command
        .output()
        .with_context(|| format!("could not run {command:?}"))?;
    let text = [output.stdout, output.stderr].concat();
    Ok(Ran {
        success: output.status.success(),
        output: String::from_utf8_lossy(&text).into_owned(),
    })
}
