//! `GET /snapshot/{serial}`: every project at one serial, in one answer that any cache may carry.
//!
//! Read line by line: what is kept of a project is its name and three hashes, never the answer.
//! Invariant: an answer that is cut short, out of order or beyond its serial is an error and no
//! smaller index.

use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
use serde::Deserialize;

use super::{Announced, Index, IndexError};
use crate::changelog::{Expected, Manifest, Page};
use crate::fetch;

/// A line has a name and three hashes.
const MAX_LINE: usize = 16 * 1024;

#[derive(Deserialize)]
struct Line {
    project: NormalizedName,
    serial: Serial,
    html: Sha256,
    json: Sha256,
    content: Sha256,
}

impl From<&Line> for Expected {
    fn from(line: &Line) -> Self {
        let manifest = |sha256| Manifest { sha256 };
        Self {
            row: line.serial,
            page: Some(Page {
                serial: line.serial,
                html: manifest(line.html),
                json: manifest(line.json),
            }),
            content: line.content,
        }
    }
}

impl Index {
    /// Every project that there is at `at`, which is announced. `progress` is called with how many
    /// are read so far.
    pub async fn snapshot(
        &self,
        at: Serial,
        progress: impl Fn(usize),
    ) -> Result<Announced, IndexError> {
        let url = self.at(&format!("snapshot/{at}"));
        let wrong = |seen: String| IndexError::Answer {
            url: url.clone(),
            seen,
        };
        let broken = |source| IndexError::Unreachable {
            url: url.clone(),
            source,
        };
        let opened = fetch::open(self.client.get(url.clone())).await;
        let mut response = opened.map_err(broken)?;
        if !response.status().is_success() {
            return Err(wrong(response.status().to_string()));
        }
        let mut snapshot = Reader::new(at);
        while let Some(chunk) = response.chunk().await.map_err(|e| broken(e.into()))? {
            snapshot.take(&chunk).map_err(&wrong)?;
            progress(snapshot.projects.len());
        }
        snapshot.end().map_err(&wrong)
    }
}

/// What is read so far.
struct Reader {
    at: Serial,
    projects: Announced,
    /// A line whose end has not come yet.
    rest: Vec<u8>,
}

impl Reader {
    fn new(at: Serial) -> Self {
        Self {
            at,
            projects: Announced::new(),
            rest: Vec::new(),
        }
    }

    fn take(&mut self, chunk: &[u8]) -> Result<(), String> {
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            if self.rest.len() + part.len() > MAX_LINE {
                return Err(format!("a line of more than {MAX_LINE} bytes"));
            }
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.line()?;
            }
        }
        Ok(())
    }

    fn line(&mut self) -> Result<(), String> {
        let number = self.projects.len() + 1;
        let line: Line = serde_json::from_slice(&self.rest)
            .map_err(|error| format!("what is no snapshot (line {number}: {error})"))?;
        self.rest.clear();
        if line.serial > self.at {
            let (serial, at) = (line.serial, self.at);
            return Err(format!("serial {serial} in line {number} of snapshot {at}"));
        }
        let last = self.projects.last_key_value().map(|(project, _)| project);
        if last.is_some_and(|last| *last >= line.project) {
            return Err(format!("a snapshot that is out of order in line {number}"));
        }
        let expected = Expected::from(&line);
        self.projects.insert(line.project, expected);
        Ok(())
    }

    fn end(self) -> Result<Announced, String> {
        if self.rest.is_empty() {
            Ok(self.projects)
        } else {
            Err("a snapshot that ends in the middle of a line".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(project: &str, serial: u64) -> String {
        let hash = Sha256::of(project.as_bytes());
        format!(
            "{{\"project\":\"{project}\",\"serial\":{serial},\"html\":\"{hash}\",\
             \"json\":\"{hash}\",\"content\":\"{hash}\"}}\n"
        )
    }

    fn read(text: &str, chunk: usize) -> Result<Announced, String> {
        let mut reader = Reader::new(Serial::new(9).expect("in range"));
        for chunk in text.as_bytes().chunks(chunk) {
            reader.take(chunk)?;
        }
        reader.end()
    }

    #[test]
    fn a_snapshot_is_read_however_it_is_cut() {
        let text = line("a", 3) + &line("b-b", 9);
        for chunk in [1, 7, 200, 10_000] {
            let read = read(&text, chunk).expect("a snapshot");
            let found: Vec<_> = read
                .iter()
                .map(|(project, expected)| (project.as_str(), expected.serial().get()))
                .collect();
            assert_eq!(found, [("a", 3), ("b-b", 9)]);
        }
        assert_eq!(read("", 1), Ok(Announced::new()));
    }

    #[test]
    fn half_a_snapshot_is_none() {
        let text = line("a", 3) + &line("b", 9);
        for (text, words) in [
            (text[..text.len() - 1].to_owned(), "middle of a line"),
            (line("b", 3) + &line("a", 4), "out of order in line 2"),
            (line("a", 3) + &line("a", 3), "out of order in line 2"),
            (line("a", 10), "serial 10 in line 1 of snapshot 9"),
            (
                line("a", 3).replace(&Sha256::of(b"a").to_string(), "null"),
                "no snapshot (line 1",
            ),
            ("x".repeat(20_000), "more than"),
        ] {
            let error = read(&text, 100).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }
}
