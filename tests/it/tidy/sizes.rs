//! How large files and folders may be, how they may be called, and what tests may not do.

use std::collections::BTreeMap;

use super::sources::files;

/// Lines in a file.
const LONGEST_FILE: usize = 350;
/// Files in a folder, `mod.rs` included.
const FULLEST_FOLDER: usize = 15;

#[test]
fn no_file_is_too_long() {
    let rust = ["src", "tests", "benches"].into_iter().flat_map(|folder| files(folder, ".rs"));
    let web = files("web", ".js").into_iter().chain(files("tests", ".js"));
    for (name, text) in rust.chain(web) {
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{name} has {lines} lines");
    }
}

#[test]
fn no_folder_is_too_full() {
    let mut folders: BTreeMap<String, usize> = BTreeMap::new();
    let rust = ["src", "tests/it"].into_iter().flat_map(|folder| files(folder, ".rs"));
    for (name, _) in rust.chain(files("src", ".lua")) {
        *folders.entry(name.rsplit_once('/').unwrap().0.to_owned()).or_default() += 1;
    }
    for (folder, count) in folders {
        assert!(count <= FULLEST_FOLDER, "{folder} has {count} files");
    }
}

#[test]
fn no_file_has_a_meaningless_name() {
    let nothing = ["util", "helper", "common", "misc", "manager", "service"];
    for (name, _) in files("src", ".rs").into_iter().chain(files("web", ".js")) {
        let stem = name.rsplit('/').next().unwrap();
        assert!(!nothing.iter().any(|word| stem.contains(word)), "{name}");
    }
}

#[test]
fn no_test_is_ignored_or_sleeps() {
    let ours = "tests/it/tidy";
    for (name, text) in files("tests", ".rs").into_iter().chain(files("src", ".rs")) {
        assert!(name.starts_with(ours) || !text.contains("#[ignore"), "{name}");
        assert!(name.starts_with(ours) || !text.contains("thread::sleep"), "{name}");
    }
    let sleeps = |line: &str| line.contains("timeout(") && line.contains("pending");
    for (name, text) in files("tests/it", ".rs").into_iter().chain(files("clients/rust/tests", ".rs")) {
        assert!(name.starts_with(ours) || !text.lines().any(sleeps), "{name} sleeps until a time-out");
    }
    // Only benches may measure time.
    for (name, text) in files("tests/it", ".rs").into_iter().chain(files("tests/sim", ".rs")) {
        assert!(name.starts_with(ours) || !text.contains("elapsed()") && !text.contains("Instant::now"), "{name}");
    }
    for (name, text) in files("tests", ".js") {
        for word in ["test.skip", ".only(", "waitForTimeout"] {
            assert!(!text.contains(word), "{name} contains {word}");
        }
    }
}

#[test]
fn every_limit_has_a_reason() {
    let (_, limits) = files("src/domain", "limits.rs").remove(0);
    let fields = limits.split("pub struct Limits {").nth(1).unwrap().split("\n}").next().unwrap();
    let lines: Vec<&str> = fields.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for pair in lines.windows(2).filter(|pair| pair[1].starts_with("pub ")) {
        assert!(pair[0].starts_with("///"), "{} has no reason", pair[1]);
    }
}

/// The page had grown from sixty files to over a hundred, and ten tabs that were opened at once exceeded the rate of an address that
/// had been chosen for sixty. They stayed empty.
#[test]
fn the_rate_of_files_fits_the_page() {
    let count = ["web/app", "web/client"].map(|folder| files(folder, ".js").len());
    let page: usize = count.iter().sum();
    let rate = usize::try_from(signalpost::api::auth::rate_limit::PAGES_PER_JOIN).unwrap();
    assert!(page <= 2 * rate, "loading the page may take {page} files, and a join counts for {rate}");
}
