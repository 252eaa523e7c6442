//! The committed corpus, through every target, in every run: without libFuzzer and its compiler.

use std::path::Path;

fn feed(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut fed = 0;
    for entry in std::fs::read_dir(&folder).expect("a corpus for each target") {
        let path = entry.expect("readable").path();
        eprintln!("{}", path.display());
        check(&std::fs::read(&path).expect("readable"));
        fed += 1;
    }
    assert!(fed > 0, "no corpus in {}", folder.display());
}

#[test]
fn names() {
    feed("names", lockstep_fuzz::names);
}

#[test]
fn versions() {
    feed("versions", lockstep_fuzz::versions);
}
