//! `lockstep dev` on a machine that lacks what it needs.

use std::process::Command;

use lockstep_tests::index::binary;

use super::{stderr, stdout};

/// In a mount namespace of its own in which PostgreSQL's folder is empty. Needs root, as CI has it.
#[test]
fn without_postgresql_it_names_the_package_to_install() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let script = "mount -t tmpfs none /usr/lib/postgresql && PATH=/usr/bin:/bin exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(binary())
        .args(["dev", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .output()?;
    let said = stderr(&output);
    if said.contains("unshare failed") || said.contains("permission denied") {
        eprintln!("SKIP: PostgreSQL can't be hidden from a process here: {said}");
        return Ok(());
    }
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("apt-get install postgresql"), "{said}");
    assert_eq!(stdout(&output), "", "no index, no address");
    Ok(())
}
