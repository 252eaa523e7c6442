//! Real clients against a real Varnish in front of the index. Judged by what is on the page, in the
//! folder and in the changelog: their exit codes say success too often.

mod install;
mod mirror;
mod pep381;
mod publish;

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use lockstep_tests::dist::Dist;
use tempfile::TempDir;

/// What a client did.
struct Ran {
    success: bool,
    /// Both its outputs.
    output: String,
}

/// A place where a client finds no configuration, cache or credentials but ours.
struct Home(TempDir);

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
        std::fs::write(&path, &dist.bytes)?;
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

    /// `name version`, from what the client says of itself.
    fn version(&self, program: &Path) -> anyhow::Result<String> {
        let ran = self.run(program, &["--version"])?;
        let line = ran.output.lines().next().unwrap_or_default();
        Ok(line.split(" (").next().unwrap_or_default().to_owned())
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
