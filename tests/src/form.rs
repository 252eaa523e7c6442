//! An upload as clients send it, with every part of it open to mischief.

use anyhow::Context as _;

use crate::dist::Dist;
use crate::index::{TOKEN, TestIndex};

/// Parts the parts of the form.
pub const BOUNDARY: &str = "lockstep-test-boundary";

/// A multipart upload form; fields are sent in this order.
#[derive(Debug, Clone)]
pub struct Form {
    /// Names and values.
    pub fields: Vec<(String, String)>,
    /// The file part: name and bytes; sent at `file_at` among the fields.
    pub file: Option<(String, Vec<u8>)>,
    /// Before which field the file goes; past the end: last.
    pub file_at: usize,
    /// The token; empty: none.
    pub token: String,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header `x-lockstep-serial`.
    pub serial: Option<u64>,
    /// Header `x-lockstep-page-sha256`.
    pub page_sha256: Option<String>,
    /// The body.
    pub body: String,
}

impl Form {
    /// A correct upload of `dist`.
    pub fn of(name: &str, version: &str, dist: &Dist) -> Self {
        let wheel = !dist.filename.ends_with(".tar.gz");
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            fields: vec![
                field(":action", "file_upload"),
                field("protocol_version", "1"),
                field("metadata_version", "2.1"),
                field("name", name),
                field("version", version),
                field("filetype", if wheel { "bdist_wheel" } else { "sdist" }),
                field("pyversion", if wheel { "py3" } else { "source" }),
                field("sha256_digest", &dist.sha256),
            ],
            file: Some((dist.filename.clone(), dist.bytes.clone())),
            file_at: usize::MAX,
            token: TOKEN.to_owned(),
        }
    }

    /// The same with a field set to another value.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same without a field.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self
    }

    /// The bytes of the body.
    pub fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (position, (name, value)) in self.fields.iter().enumerate() {
            if position == self.file_at {
                self.put_file(&mut body);
            }
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(head.as_bytes());
        }
        if self.file_at >= self.fields.len() {
            self.put_file(&mut body);
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        body
    }

    fn put_file(&self, body: &mut Vec<u8>) {
        let Some((filename, bytes)) = &self.file else {
            return;
        };
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"content\"; \
             filename=\"{filename}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }

    /// Sends it.
    pub async fn send(&self, index: &TestIndex) -> anyhow::Result<Answer> {
        self.send_to(&index.url()).await
    }

    /// Sends it to an origin or an edge, which may die over it.
    pub async fn send_to(&self, base: &str) -> anyhow::Result<Answer> {
        let mut request = reqwest::Client::new()
            .post(format!("{base}/legacy/"))
            .header(
                "content-type",
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .body(self.body());
        if !self.token.is_empty() {
            request = request.basic_auth("__token__", Some(&self.token));
        }
        let response = request.send().await.context("the upload got no answer")?;
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        Ok(Answer {
            status: response.status().as_u16(),
            serial: header("x-lockstep-serial").and_then(|value| value.parse().ok()),
            page_sha256: header("x-lockstep-page-sha256"),
            body: response.text().await?,
        })
    }
}
