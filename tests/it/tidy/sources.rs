//! Source files, and Rust code without what is not code.

use std::{fs, path::Path};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder whose names end like this, with their text. Names are relative to the repository.
pub fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("vendor") {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "nothing in {folder}");
    found
}

/// Rust code without comments, the contents of literals, and unit tests.
pub fn code(text: &str) -> String {
    let mut code = without_literals(text);
    while let Some(start) = code.find("#[cfg(test)]") {
        let rest = &code[start..];
        let end = match (rest.find(';'), rest.find('{')) {
            (Some(end), Some(open)) if end < open => end + 1,
            (_, Some(open)) => open + block(&rest[open..]),
            (end, None) => end.map_or(rest.len(), |end| end + 1),
        };
        code.replace_range(start..start + end, "");
    }
    code
}

/// The length of a block that starts with its opening brace.
pub fn block(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

fn without_literals(text: &str) -> String {
    let (mut code, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let is_word = code.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let hashes = after.len() - after.trim_start_matches('#').len();
        rest = match c {
            '/' if after.starts_with('/') => after.find('\n').map_or("", |end| &after[end..]),
            'r' if !is_word && after[hashes..].starts_with('"') => {
                let end = format!("\"{}", "#".repeat(hashes));
                let inside = &after[hashes + 1..];
                inside.find(&end).map_or("", |at| &inside[at + end.len()..])
            }
            '"' => closed(after, '"'),
            // A character, and not a lifetime.
            '\'' if after.starts_with('\\') || after.chars().nth(1) == Some('\'') => closed(after, '\''),
            _ => {
                code.push(c);
                after
            }
        };
    }
    code
}

/// What follows the end of a literal.
fn closed(text: &str, quote: char) -> &str {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == quote && !escaped {
            return &text[at + c.len_utf8()..];
        }
        escaped = c == '\\' && !escaped;
    }
    ""
}
