//! The rules, on a project with four states: 1 created, 4 a file more, 6 yanked, 9 the file removed.

use serde_json::{Value, json};

use super::*;
use crate::shown;

fn hash(text: &str) -> Sha256 {
    Sha256::of(text.as_bytes())
}

fn content_of(serial: u64) -> Vec<u8> {
    let line =
        |name: &str, yanked: Value| format!("{}\n", json!([name, hash(name), ">=3.9,<4", yanked]));
    match serial {
        1 => line("a-1.whl", json!(false)),
        4 => line("a-1.whl", json!(false)) + &line("a-2.whl", json!(false)),
        6 => line("a-1.whl", json!("broken")) + &line("a-2.whl", json!(false)),
        _ => line("a-1.whl", json!("broken")),
    }
    .into_bytes()
}

fn row(serial: u64, added: &[&str], removed: &[&str]) -> Change {
    let map = |names: &[&str]| -> Value {
        names
            .iter()
            .map(|name| ((*name).to_owned(), json!(hash(name))))
            .collect()
    };
    let row = json!({
        "serial": serial, "timestamp": format!("2026-11-0{serial}T00:00:00Z"), "project": "a",
        "page": {"serial": serial, "html": {"sha256": hash(&format!("html {serial}"))},
                 "json": {"sha256": hash(&format!("json {serial}"))}},
        "content": {"sha256": Sha256::of(&content_of(serial))},
        "files": {"added": map(added), "removed": map(removed)},
    });
    serde_json::from_value(row).expect("a row")
}

fn history() -> Vec<Change> {
    vec![
        row(1, &["a-1.whl"], &[]),
        row(4, &["a-2.whl"], &[]),
        row(6, &[], &[]),
        row(9, &[], &["a-2.whl"]),
    ]
}

/// What is announced at the history's row with this position.
fn expected(position: usize) -> (Expected, Vec<Line>) {
    let change = history().swap_remove(position);
    let lines = crate::manifest::parse(&content_of(change.serial.get())).expect("a manifest");
    (Expected::from(change), lines)
}

fn serial(number: u64) -> Serial {
    Serial::new(number).expect("in range")
}

/// A page as bandersnatch renders it: unclosed elements, another escaper, its own serial.
fn rendered(files: &[(&str, &str)], claims: &str) -> Shown {
    let links = files.iter().map(|(name, yanked)| {
        format!(
            "<a href=\"../../packages/x/{name}#sha256={}\" \
             data-requires-python=\"&gt;=3.9,&lt;4\"{yanked}>{name}</a><br/>\n",
            hash(name)
        )
    });
    let page = format!(
        "<!DOCTYPE html>\n<html><head><meta name=\"x\"></head><body>{}</body></html>{claims}",
        links.collect::<String>()
    );
    shown::read(page.as_bytes()).expect("a page")
}

const YANKED: &str = " data-yanked=\"broken\"";

#[test]
fn bytes_are_placed_by_their_hash() {
    let (expected, _) = expected(2);
    let place = |text: &str| bytes(&expected, &history(), hash(text));
    assert_eq!(place("html 6"), Some(State::Exact { serial: serial(6) }));
    assert_eq!(place("json 9"), Some(State::Newer { serial: serial(9) }));
    assert_eq!(place("html 7"), None);
    let Some(State::Behind(behind)) = place("json 1") else {
        panic!("an old page is behind");
    };
    assert_eq!(
        behind.to_string(),
        "shows serial 1 (2026-11-01T00:00:00Z), announced 6, 5 serials behind \
         since 2026-11-04T00:00:00Z"
    );
}

#[test]
fn no_page_is_missing_unless_the_project_is_gone_by_now() {
    let (expected, _) = expected(2);
    let mut history = history();
    let announced = serial(6);
    assert_eq!(nothing(&expected, &history), State::Missing { announced });
    history[3].page = None;
    assert_eq!(
        nothing(&expected, &history),
        State::Newer { serial: serial(9) }
    );
    let gone = Expected::from(history[3].clone());
    assert_eq!(nothing(&gone, &history), State::Exact { serial: serial(9) });
}

#[test]
fn a_rendering_is_right_by_its_content() {
    let (expected, lines) = expected(2);
    let judge = |shown: &Shown| content(&expected, &lines, &history(), shown);
    let exact = (State::Exact { serial: serial(6) }, Vec::new());
    for yanked in [YANKED, " data-yanked=\"\""] {
        for claims in ["", "<!--SERIAL 6-->"] {
            let page = rendered(&[("a-2.whl", ""), ("a-1.whl", yanked)], claims);
            assert_eq!(judge(&page), exact, "{yanked} {claims}");
        }
    }
    let (state, findings) = judge(&rendered(&[("a-2.whl", YANKED)], "<!--SERIAL 6-->"));
    assert_eq!(state.word(), "different");
    assert_eq!(
        findings,
        [
            "lists no a-1.whl",
            "a-2.whl: is yanked (broken), announced not yanked"
        ]
    );
}

#[test]
fn a_rendering_that_lags_is_dated_by_its_serial_or_its_content() {
    let (expected, lines) = expected(2);
    for claims in ["", "<!--SERIAL 4-->"] {
        let page = rendered(&[("a-1.whl", ""), ("a-2.whl", "")], claims);
        let (state, findings) = content(&expected, &lines, &history(), &page);
        let State::Behind(behind) = state else {
            panic!("not behind: {state:?} {findings:?}");
        };
        assert_eq!((behind.shows, behind.serials), (serial(4), 2));
    }
    let page = rendered(&[("a-1.whl", YANKED), ("a-2.whl", "")], "<!--SERIAL 77-->");
    let (_, findings) = content(&expected, &lines, &history(), &page);
    assert_eq!(
        findings,
        ["claims serial 77, at which this project had no page"]
    );
    let page = rendered(&[("a-1.whl", YANKED)], "<!--SERIAL 9-->");
    let (state, _) = content(&expected, &lines, &history(), &page);
    assert_eq!(state, State::Newer { serial: serial(9) });
}

#[test]
fn a_removed_file_may_be_kept_but_none_may_be_invented() {
    let (expected, lines) = expected(3);
    let judge = |files: &[(&str, &str)]| {
        content(
            &expected,
            &lines,
            &history(),
            &rendered(files, "<!--SERIAL 9-->"),
        )
    };
    let (state, _) = judge(&[("a-1.whl", YANKED), ("a-2.whl", "")]);
    assert_eq!(state, State::Exact { serial: serial(9) });
    let (_, findings) = judge(&[("a-1.whl", YANKED), ("evil-1.whl", "")]);
    assert_eq!(findings, ["lists evil-1.whl, which the index never had"]);
}

#[test]
fn the_worst_representation_counts() {
    let announced = serial(6);
    let exact = (State::Exact { serial: announced }, Vec::new());
    let wrong = (State::Different { announced }, vec!["x".to_owned()]);
    let (of, state, findings) = worst([
        ("HTML", wrong.clone()),
        ("JSON", exact),
        ("HTML gzip", wrong),
    ]);
    assert_eq!((of, state.word()), (vec!["HTML", "HTML gzip"], "different"));
    assert_eq!(findings, ["x"]);
}
