//! `/search/?q=…`: the listed projects whose names begin with something, by name, a page at a time.
//!
//! A prefix, and no more: it is a range of an index at any size, and shows what `/simple/` lists.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use lockstep_core::name::{NamePrefix, NormalizedName};
use lockstep_store::catalog::{self, Found};
use lockstep_store::watermarks;
use serde::Deserialize;

use super::{Moment, Site, index_page, rendered};
use crate::app::App;
use crate::error::ApiError;

/// Projects on one page.
const PAGE: usize = 50;
/// … and one that tells whether there are more.
const ONE_MORE: i64 = 51;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    /// The last project of the page before.
    after: Option<NormalizedName>,
}

#[derive(Template)]
#[template(path = "search.html")]
struct Search<'a> {
    site: Site<'a>,
    /// As it was typed.
    q: &'a str,
    /// As names are compared; `None` when no name can begin so.
    prefix: Option<&'a NamePrefix>,
    found: Vec<Row<'a>>,
    /// Whether this is not the first page.
    further: bool,
    /// Where the next page begins.
    next: Option<&'a NormalizedName>,
}

struct Row<'a> {
    found: &'a Found,
    at: Moment,
}

/// `GET /search/`
pub(super) async fn search(
    State(app): State<App>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let answer = match asked {
        Ok(Query(asked)) => answer(&app, &asked, &headers).await,
        Err(error) => Err(ApiError::bad_request("query", error.body_text())),
    };
    answer.unwrap_or_else(ApiError::into_plain_response)
}

async fn answer(app: &App, asked: &Asked, headers: &HeaderMap) -> Result<Response, ApiError> {
    let connection = app.store.connection().await?;
    let announced = watermarks::read(&connection).await?.announced;
    let prefix = NamePrefix::of(&asked.q);
    let mut found = match &prefix {
        None => Vec::new(),
        Some(prefix) => {
            let after = asked.after.as_ref();
            catalog::search(&connection, announced, prefix, after, ONE_MORE).await?
        }
    };
    drop(connection);
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let page = Search {
        site: Site::of(&app.settings),
        q: asked.q.trim(),
        prefix: prefix.as_ref(),
        next: found.last().filter(|_| more).map(|last| &last.project),
        further: asked.after.is_some(),
        found: found
            .iter()
            .map(|found| Row {
                found,
                at: found.at.into(),
            })
            .collect(),
    };
    Ok(index_page(app, headers, announced, rendered(&page)?).await)
}
