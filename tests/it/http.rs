//! Requests as these tests send them: no redirect is followed and nothing is decompressed, because
//! both are what is looked at. And raw TCP, for requests that no library would send.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Context as _;
use lockstep_tests::index::{PATIENCE, TestIndex};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Got {
    /// A header's text; empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| self.text())
    }
}

pub(crate) fn client() -> anyhow::Result<Client> {
    let builder = Client::builder().no_gzip().no_proxy();
    Ok(builder
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE * 2)
        .build()?)
}

pub(crate) async fn finish(request: RequestBuilder) -> anyhow::Result<Got> {
    let response = request.send().await.context("no answer")?;
    Ok(Got {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.bytes().await?.to_vec(),
    })
}

pub(crate) async fn ask(
    index: &TestIndex,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> anyhow::Result<Got> {
    let mut request = client()?.request(method, format!("{}{path}", index.url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    finish(request).await
}

pub(crate) async fn get(
    index: &TestIndex,
    path: &str,
    headers: &[(&str, &str)],
) -> anyhow::Result<Got> {
    ask(index, Method::GET, path, headers).await
}

/// A connection for a request written by hand.
pub(crate) fn connect(index: &TestIndex) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(index.address())?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}

/// Sends bytes and reads the head of the answer, without ending the request.
pub(crate) fn head_of_answer(stream: &mut TcpStream, request: &[u8]) -> anyhow::Result<String> {
    stream.write_all(request)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream
            .read_exact(&mut byte)
            .with_context(|| format!("cut short: {}", String::from_utf8_lossy(&head)))?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8(head)?)
}
