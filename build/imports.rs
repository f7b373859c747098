//! What modules import.

use std::collections::VecDeque;

use crate::tree::{Tree, text_of};

/// All modules that a module needs before it runs, without itself: nearest first, the order in which a browser would find them.
pub fn needed_by(files: &Tree, entry: &str) -> Vec<String> {
    let mut found = vec![entry.to_owned()];
    let mut unread = VecDeque::from(found.clone());
    while let Some(path) = unread.pop_front() {
        for import in files.get(&path).map(|content| imports(&text_of(content))).unwrap_or_default() {
            let import = resolve(&path, &import);
            if !found.contains(&import) {
                found.push(import.clone());
                unread.push_back(import);
            }
        }
    }
    found.split_off(1)
}

/// The relative addresses after `from`, and those of `import '…'`. The text has no comments, in which types are imported.
fn imports(text: &str) -> Vec<String> {
    let statements = text
        .lines()
        .map(str::trim_start)
        .filter(|line| ["import ", "export ", "} from "].iter().any(|start| line.starts_with(start)));
    let named = statements.filter_map(|line| line.rsplit_once("from '").or_else(|| line.split_once("import '")));
    let addresses = named.filter_map(|(_, rest)| rest.split_once('\''));
    addresses
        .filter(|(address, rest)| address.starts_with('.') && matches!(*rest, ";" | ""))
        .map(|(address, _)| address.to_owned())
        .collect()
}

/// Resolves a relative address (RFC 3986 section 5.2) against the path of the module that has it.
fn resolve(module: &str, address: &str) -> String {
    let mut segments: Vec<&str> = module.split('/').collect();
    segments.pop();
    for segment in address.split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    segments.join("/")
}
