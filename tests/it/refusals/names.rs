//! Names that a new project can't have, also when two ask for them at once.

use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, TestIndex};

use super::{Row, check, plain_wheel, row, state::State};

fn new(mischief: &'static str, name: &str, says: &'static str) -> Row {
    let form = Form::of(name, "1.0", &plain_wheel(name, "1.0"));
    row(mischief, 400, says, &form)
}

#[tokio::test]
async fn names_that_mislead_are_refused_to_new_projects() -> anyhow::Result<()> {
    let index = TestIndex::with(Options {
        settings: "[upload]\nprohibited_names = ['For.Bidden']\n".to_owned(),
        ..Options::default()
    })?;
    let first = Form::of("sample-oil", "1.0", &plain_wheel("sample-oil", "1.0"));
    assert_eq!(first.send(&index).await?.status, 200);
    index.settle()?;
    let similar = "is too similar to an existing project";
    let rows = [
        new("similar: without its dash", "sampleoil", similar),
        new("similar: 1 for l and i, 0 for o", "samp1e-01l", similar),
        new(
            "prohibited",
            "for_bidden",
            "The name `for_bidden` isn't allowed.",
        ),
        new(
            "a module of Python",
            "asyncio",
            "that of a module of Python's standard library",
        ),
        new(
            "a module of Python's, nested",
            "os.path",
            "Python's standard library",
        ),
    ];
    check(&index, &rows).await?;
    // The project itself may be spelled in any way.
    let again = Form::of("Sample.Oil", "2.0", &plain_wheel("Sample.Oil", "2.0"));
    let answer = again.send(&index).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    index.fsck()
}

#[tokio::test]
async fn of_two_first_uploads_at_once_that_look_alike_one_is_refused() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    for round in 0..8 {
        let names = [format!("pa1r-{round}x"), format!("pair-{round}x")];
        let [one, other] = names.map(|name| Form::of(&name, "1.0", &plain_wheel(&name, "1.0")));
        let (one, other) = tokio::join!(one.send(&index), other.send(&index));
        let mut answers = [one?, other?];
        answers.sort_by_key(|answer| answer.status);
        assert_eq!(
            answers.each_ref().map(|answer| answer.status),
            [200, 400],
            "{answers:?}"
        );
        assert!(answers[1].body.contains("is too similar"), "{answers:?}");
    }
    index.settle()?;
    let projects = index.database().query("select count(*) from projects")?;
    assert_eq!(projects.trim(), "8");
    index.fsck()
}

#[tokio::test]
async fn two_first_uploads_to_one_new_project_both_pass() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    for round in 0..8 {
        let name = format!("both-{round}x");
        let [one, other] =
            ["1.0", "2.0"].map(|version| Form::of(&name, version, &plain_wheel(&name, version)));
        let (one, other) = tokio::join!(one.send(&index), other.send(&index));
        assert_eq!([one?.status, other?.status], [200, 200]);
    }
    let before = State::of(&index)?;
    assert!(before.blobs.len() >= 32, "{before:?}");
    index.fsck()
}
