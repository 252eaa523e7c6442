//! What is refused because of what the project has already. The bytes are kept before that is
//! known for certain, so a blob that nothing names may stay; no row may.

use lockstep_tests::dist::{Opts, sdist};
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, TestIndex};

use super::plain_wheel;
use super::state::State;

fn large(version: &str, payload: usize) -> Form {
    let opts = Opts {
        payload,
        ..Opts::default()
    };
    Form::of("beta", version, &sdist("beta", version, &opts))
}

#[tokio::test]
async fn a_release_has_one_sdist_and_a_project_so_many_bytes() -> anyhow::Result<()> {
    let index = TestIndex::with(Options {
        settings: "[upload]\nmax_project_size = '1 MiB'\n".to_owned(),
        ..Options::default()
    })?;
    for form in [
        Form::of("beta", "1.0", &plain_wheel("beta", "1.0")),
        large("1.0", 1000),
        large("2.0", 1000),
    ] {
        let answer = form.send(&index).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    index.settle()?;
    let before = State::of(&index)?.rows;

    // The same release by another spelling of its version, which is in the file name, too.
    let second = Form::of("beta", "1.0.0", &sdist("beta", "1.0.0", &Opts::default()));
    let answer = second.send(&index).await?;
    eprintln!(
        "second sdist of a release: {} {}",
        answer.status,
        answer.body.trim()
    );
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (400, "Only one sdist may be uploaded per release.\n")
    );
    let answer = large("3.0", 1 << 20).send(&index).await?;
    eprintln!(
        "project too large: {} {}",
        answer.status,
        answer.body.trim()
    );
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (
            400,
            "Project size too large. Limit for project 'beta' total size is 1.0 MiB; remove old \
             files first.\n"
        )
    );
    assert_eq!(State::of(&index)?.rows, before);

    // Another project has its own room.
    let opts = Opts {
        payload: 900_000,
        ..Opts::default()
    };
    let other = Form::of("alpha", "1.0", &sdist("alpha", "1.0", &opts));
    assert_eq!(other.send(&index).await?.status, 200);
    index.fsck()
}
