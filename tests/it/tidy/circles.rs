//! No files import each other in a circle. (JavaScript: `tests/web/imports.test.js`.)

use std::collections::{BTreeMap, BTreeSet};

use super::imports::Crate;

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
fn a_circle_is_found() {
    let uses = [("a", ["b"]), ("b", ["c"]), ("c", ["b"])].map(|(file, used)| (file, used.into()));
    assert_eq!(circle(&uses.into()), Some(vec!["b", "c", "b"]));
}
