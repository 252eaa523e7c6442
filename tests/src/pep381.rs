//! The real pep381client 1.5 on Python 2.7, unmodified, made to follow an index under test.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::ensure;

/// Runs one synchronization into `folder`, as cron does. `python` is that of its environment, `index`
/// where it asks.
pub fn synchronize(python: &Path, index: SocketAddr, folder: &Path) -> anyhow::Result<()> {
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/pep381_driver.py");
    let mut command = Command::new(python);
    // Without what this machine's variables tell a Python.
    command.arg("-E").arg(driver).arg(index.to_string());
    let output = command.arg(folder).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "pep381client failed:\n{said}");
    Ok(())
}
