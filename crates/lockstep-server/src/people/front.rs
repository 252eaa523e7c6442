//! `/`: what this index is, how one uses it, and what is new.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use lockstep_core::announce::Watermarks;
use lockstep_store::catalog::{self, New, Size};
use lockstep_store::watermarks;

use super::{Moment, Site, index_page, rendered};
use crate::app::App;
use crate::error::ApiError;

/// How many of the newest releases are shown.
const NEWEST: i64 = 12;

#[derive(Template)]
#[template(path = "front.html")]
struct Front<'a> {
    site: Site<'a>,
    size: Size,
    projects: String,
    files: String,
    marks: Watermarks,
    newest: Vec<Newest<'a>>,
}

struct Newest<'a> {
    new: &'a New,
    version: &'a str,
    at: Moment,
}

/// `GET /`
pub(super) async fn front(State(app): State<App>, headers: HeaderMap) -> Response {
    match answer(&app, &headers).await {
        Ok(response) => response,
        Err(error) => error.into_plain_response(),
    }
}

async fn answer(app: &App, headers: &HeaderMap) -> Result<Response, ApiError> {
    let connection = app.store.connection().await?;
    let marks = watermarks::read(&connection).await?;
    let size = catalog::index_size(&connection).await?;
    let newest = catalog::new_releases(&connection, marks.announced, NEWEST).await?;
    drop(connection);
    let page = Front {
        site: Site::of(&app.settings),
        size,
        projects: grouped(size.projects),
        files: grouped(size.files),
        marks,
        newest: newest.iter().map(row).collect(),
    };
    Ok(index_page(app, headers, marks.announced, rendered(&page)?).await)
}

fn row(new: &New) -> Newest<'_> {
    Newest {
        new,
        version: new.version.as_ref().map_or("", |version| version.as_str()),
        at: new.at.into(),
    }
}

/// `12,345,678`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_stand_in_threes() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
