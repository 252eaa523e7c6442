//! Who PostgreSQL runs as: ourselves, or the user `postgres` when we are root.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::geteuid;

use super::{PostgresError, io_error};

/// The user that owns the cluster and runs the server.
#[derive(Debug)]
pub(super) enum Owner {
    /// The user that we are.
    Ourselves,
    /// The user `postgres`; we are root.
    Postgres {
        /// Its number.
        uid: u32,
        /// Its group's number.
        gid: u32,
    },
}

impl Owner {
    /// PostgreSQL refuses to run as root, so root needs the user that its package makes.
    pub(super) fn for_this_process() -> Result<Self, PostgresError> {
        if !geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        Ok(Self::Postgres {
            uid: id("-u")?,
            gid: id("-g")?,
        })
    }

    /// A command to be run as this user, deaf to settings meant for other clusters.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("LC_ALL", "C").current_dir("/");
        for variable in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGOPTIONS"] {
            command.env_remove(variable);
        }
        if let Self::Postgres { uid, gid } = *self {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Makes `folder`, or takes the one that is there, for this user alone.
    pub(super) fn private_folder(&self, folder: &Path) -> Result<(), PostgresError> {
        let prepare = || {
            match fs::DirBuilder::new().mode(0o700).create(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?,
            }
            match *self {
                Self::Ourselves => Ok(()),
                Self::Postgres { uid, gid } => chown(folder, Some(uid), Some(gid)),
            }
        };
        prepare().map_err(io_error(format!("prepare {}", folder.display())))
    }

    /// Checks that this user gets as far as `folder`, and names the closed one on the way if not.
    pub(super) fn check_reach(&self, folder: &Path) -> Result<(), PostgresError> {
        if matches!(self, Self::Ourselves) || self.can_enter(folder)? {
            return Ok(());
        }
        let mut way: Vec<_> = folder.ancestors().collect();
        way.reverse();
        for closed in way {
            if !self.can_enter(closed)? {
                return Err(PostgresError::Unreachable {
                    folder: closed.display().to_string(),
                });
            }
        }
        Ok(())
    }

    /// Asks the system rather than the mode bits, which don't know of access lists.
    fn can_enter(&self, folder: &Path) -> Result<bool, PostgresError> {
        let status = self
            .command(Path::new("test"))
            .arg("-x")
            .arg(folder)
            .stdin(Stdio::null())
            .status()
            .map_err(io_error("run test(1) as the user `postgres`"))?;
        Ok(status.success())
    }
}

/// What `id` says of the user `postgres`, wherever the system keeps its users.
fn id(option: &str) -> Result<u32, PostgresError> {
    let output = Command::new("id")
        .args([option, "postgres"])
        .output()
        .map_err(io_error("run id(1)"))?;
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .map_err(|_| PostgresError::NotInstalled {
            seen: "PostgreSQL refuses to run as root and there is no user `postgres`".to_owned(),
        })
}
