//! No files import each other in a circle.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use super::{imports::Crate, sources::files};

type Uses<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// One circle, if there is one.
fn circle<'a>(uses: &Uses<'a>) -> Option<Vec<&'a str>> {
    let mut left = uses.clone();
    loop {
        let within: BTreeSet<&str> = left.keys().copied().collect();
        let before = left.len();
        left.retain(|_, used| used.iter().any(|file| within.contains(file)));
        if left.len() == before {
            break;
        }
    }
    let mut way = vec![*left.keys().next()?];
    loop {
        let next = left[way.last()?].iter().copied().find(|file| left.contains_key(file))?;
        if let Some(start) = way.iter().position(|file| *file == next) {
            way.push(next);
            return Some(way.split_off(start));
        }
        way.push(next);
    }
}

#[track_caller]
fn assert_no_circle(mut uses: Uses) {
    let mut found = Vec::new();
    while let Some(circle) = circle(&uses) {
        // Without its last import there may be others.
        if let [.., last, first] = circle[..] {
            uses.get_mut(last).unwrap().remove(first);
        }
        found.push(circle.join(" -> "));
    }
    assert!(found.is_empty(), "imported in a circle:\n{}", found.join("\n"));
}

#[test]
fn no_modules_of_the_server_import_each_other_in_a_circle() {
    assert_no_circle(Crate::read("src").uses());
}

#[test]
fn no_modules_of_tests_and_benches_import_each_other_in_a_circle() {
    for folder in ["benches/load", "benches/growth", "benches/fleet", "tests/it", "tests/fleet", "tests/sim"] {
        assert_no_circle(Crate::read(folder).uses());
    }
}

#[test]
fn no_scripts_of_client_and_page_import_each_other_in_a_circle() {
    let scripts = files("web", ".js");
    let names: BTreeMap<PathBuf, &str> = scripts.iter().map(|(name, _)| (name.into(), name.as_str())).collect();
    let uses = scripts.iter().map(|(name, text)| {
        let folder = Path::new(name).parent().unwrap();
        let is_comment = |line: &&str| line.trim_start().starts_with(['*', '/']);
        let quoted = text.lines().filter(|line| !is_comment(line)).flat_map(|line| line.split(['\'', '"']));
        let imported = quoted.filter(|word| word.starts_with('.') && word.ends_with(".js"));
        (name.as_str(), imported.filter_map(|path| names.get(&joined(folder, path)).copied()).collect())
    });
    assert_no_circle(uses.collect());
}

fn joined(folder: &Path, path: &str) -> PathBuf {
    let mut all = folder.to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(all.pop()),
            Component::Normal(name) => all.push(name),
            _ => {}
        }
    }
    all
}

#[test]
fn a_circle_is_found() {
    let uses = [("a", ["b"]), ("b", ["c"]), ("c", ["b"])].map(|(file, used)| (file, used.into()));
    assert_eq!(circle(&uses.into()), Some(vec!["b", "c", "b"]));
}
