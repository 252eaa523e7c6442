//! How many readers a second learn which page is current: with a query each, and from memory with
//! shared confirmations. Side by side, in turns, on this machine; what counts is the ratio.
//!
//! `cargo run -p lockstep-tests --bin with-postgres -- cargo run -p lockstep-tests --bin bench-fresh`

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::ensure;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, TestIndex};

const TURNS: usize = 5;
const TURN: Duration = Duration::from_secs(2);
const READERS: usize = 64;
const PROJECTS: usize = 16;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut index = TestIndex::with(Options::default())?;
    for project in 0..PROJECTS {
        let name = format!("hot-{project}");
        let dist = wheel(&name, "1.0", &Opts::default());
        let answer = Form::of(&name, "1.0", &dist).send(&index).await?;
        ensure!(answer.status == 200, "{answer:?}");
    }
    index.settle()?;
    index.options.fault = Some("fresh.memory:skip".to_owned());
    let asking = index.sibling()?;
    let mut ratios = Vec::new();
    for turn in 0..=TURNS {
        let (each, shared) = (read(asking.address())?, read(index.address())?);
        // The first turn only warms both.
        if turn > 0 {
            let ratio = shared / each;
            eprintln!("{each:>8.0}/s with a query each {shared:>8.0}/s shared {ratio:>6.2} times");
            ratios.push(ratio);
        }
    }
    ratios.sort_by(f64::total_cmp);
    eprintln!("median: {:.2} times as many", ratios[TURNS / 2]);
    for line in reqwest::get(format!("{}/metrics", index.url()))
        .await?
        .text()
        .await?
        .lines()
    {
        if line.starts_with("lockstep_read_") {
            eprintln!("{line}");
        }
    }
    Ok(())
}

/// Readers that revalidate (304) on kept connections, for a turn; answers a second.
fn read(address: SocketAddr) -> anyhow::Result<f64> {
    let ended = AtomicBool::new(false);
    let answers: anyhow::Result<u64> = thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|number| {
                scope.spawn({
                    let ended = &ended;
                    move || read_on(address, number % PROJECTS, ended)
                })
            })
            .collect();
        thread::sleep(TURN);
        ended.store(true, Ordering::SeqCst);
        let counts = readers
            .into_iter()
            .map(|reader| reader.join().expect("a reader"));
        counts.sum()
    });
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let answers = answers? as f64;
    Ok(answers / TURN.as_secs_f64())
}

fn read_on(address: SocketAddr, project: usize, ended: &AtomicBool) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET /simple/hot-{project}/ HTTP/1.1\r\nhost: {address}\r\nif-none-match: *\r\n\r\n"
    );
    let (mut answers, mut buffer) = (0, [0; 4096]);
    while !ended.load(Ordering::SeqCst) {
        stream.write_all(request.as_bytes())?;
        let mut length = 0;
        // A 304 has no body.
        while !buffer[..length].ends_with(b"\r\n\r\n") {
            let read = stream.read(&mut buffer[length..])?;
            ensure!(read > 0, "closed");
            length += read;
        }
        ensure!(buffer.starts_with(b"HTTP/1.1 304"), "not a 304");
        answers += 1;
    }
    Ok(answers)
}
