//! Memory's invariant, in the orders in which questions and news can overtake each other.

use lockstep_core::status::ProjectStatus;

use super::*;

fn name(text: &str) -> NormalizedName {
    text.parse().expect("a name")
}

fn serial(number: u64) -> Serial {
    Serial::new(number).expect("a serial")
}

fn page(at: u64) -> CurrentPage {
    CurrentPage {
        project: 1,
        serial: serial(at),
        status: ProjectStatus::Active,
        hashes: None,
    }
}

fn news(to: u64, changed: Option<&[(&str, u64)]>) -> News {
    let mark = Mark {
        serial: serial(to),
        at: None,
    };
    let pages = |pages: &[(&str, u64)]| {
        let pages = pages.iter();
        pages.map(|(text, at)| (name(text), page(*at))).collect()
    };
    News {
        mark,
        changed: changed.map(pages),
    }
}

const NOTHING: &str = "nothing";
const NO_PROJECT: &str = "no such project";

/// What memory has of a project.
fn known(memory: &Memory, project: &str) -> String {
    match memory.fact(&name(project)) {
        None => NOTHING.to_owned(),
        Some(None) => NO_PROJECT.to_owned(),
        Some(Some(page)) => page.serial.to_string(),
    }
}

#[test]
fn news_replace_what_is_known_and_bring_in_nothing_else() {
    let memory = Memory::default();
    memory.note(news(5, Some(&[])));
    let facts = memory.facts();
    memory.keep(&facts, &name("hot"), Some(page(3)), serial(5));
    memory.keep(&facts, &name("absent"), None, serial(5));
    memory.keep(&facts, &name("quiet"), Some(page(1)), serial(5));
    assert_eq!(known(&memory, "absent"), NO_PROJECT);
    memory.note(news(8, Some(&[("hot", 6), ("absent", 8), ("cold", 7)])));
    assert_eq!(known(&memory, "hot"), "6");
    assert_eq!(known(&memory, "absent"), "8", "it is there now");
    assert_eq!(known(&memory, "quiet"), "1");
    assert_eq!(known(&memory, "cold"), NOTHING, "nobody asked for it");
}

#[test]
fn an_answer_that_the_news_have_overtaken_is_not_kept() {
    let memory = Memory::default();
    let facts = memory.facts();
    // Asked at 5; a confirmation that saw 6 was faster, and its row spoke of this project.
    memory.note(news(6, Some(&[("slow", 6)])));
    memory.keep(&facts, &name("slow"), Some(page(4)), serial(5));
    assert_eq!(known(&memory, "slow"), NOTHING);
    // Read at the mark or later, it is as good as the mark.
    memory.keep(&facts, &name("slow"), Some(page(6)), serial(6));
    memory.keep(&facts, &name("later"), Some(page(9)), serial(9));
    assert_eq!(known(&memory, "slow"), "6");
    assert_eq!(known(&memory, "later"), "9");
}

#[test]
fn another_history_leaves_nothing_behind() {
    let memory = Memory::default();
    memory.note(news(5, Some(&[])));
    let facts = memory.facts();
    memory.keep(&facts, &name("lost"), Some(page(5)), serial(5));
    // Restored: the counter went back, and comes up again with other rows.
    memory.note(news(3, None));
    assert_eq!(known(&memory, "lost"), NOTHING);
    // An answer of the lost database was still on its way.
    memory.keep(&facts, &name("late"), Some(page(5)), serial(5));
    assert_eq!(known(&memory, "late"), NOTHING);
    assert_eq!(memory.mark().serial, serial(3));
}
