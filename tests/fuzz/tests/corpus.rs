//! The committed corpus, through every target, in every run: without libFuzzer and its compiler.
//!
//! Files called `good-…` must be taken, so that a target is known to see what is behind the door;
//! `bad-…` must be refused. Of others, only that nothing breaks.

use std::path::Path;

fn feed(target: &str, check: fn(&[u8]) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut fed = 0;
    for entry in std::fs::read_dir(&folder).expect("a corpus for each target") {
        let path = entry.expect("readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        eprintln!("{}", path.display());
        let taken = check(&std::fs::read(&path).expect("readable"));
        if let Some((word @ ("good" | "bad"), _)) = name.split_once('-') {
            assert_eq!(taken, word == "good", "{}", path.display());
        }
        fed += 1;
    }
    assert!(fed > 0, "no corpus in {}", folder.display());
}

macro_rules! targets {
    ($($target:ident,)*) => {
        $(#[test]
        fn $target() {
            feed(stringify!($target), lockstep_fuzz::$target);
        })*

        #[test]
        fn every_target_is_fed() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets");
            let programs = std::fs::read_dir(folder).expect("targets").count();
            assert_eq!(programs, [$(stringify!($target)),*].len());
        }
    };
}

targets! {
    accept,
    filename,
    form,
    metadata,
    names,
    sdist,
    upload,
    versions,
    wheel,
    xmlrpc,
}
