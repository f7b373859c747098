//! Which file of a crate uses which: imports and paths, followed through re-exports to the file that has the item.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{code, files};

/// `crate::engine::memory` is `["engine", "memory"]`.
type Module = Vec<String>;

pub struct Crate {
    /// Each module's file and code.
    modules: BTreeMap<Module, (String, String)>,
    /// What a module re-exports, and where that is.
    exports: BTreeMap<(Module, String), Module>,
}

impl Crate {
    /// The crate whose root is `main.rs` or `lib.rs` in this folder.
    pub fn read(folder: &str) -> Self {
        let mut modules = BTreeMap::new();
        for (name, text) in files(folder, ".rs") {
            let path = name.strip_prefix(folder).unwrap().trim_start_matches('/').trim_end_matches(".rs");
            let mut module: Module = path.split('/').map(str::to_owned).collect();
            if matches!(module.last().unwrap().as_str(), "mod" | "main" | "lib") {
                module.pop();
            }
            // Tests of a module are part of it, and `main.rs` beside `lib.rs` is another crate.
            let is_left_out = module.iter().any(|part| part == "tests") || folder == "src" && path == "main";
            if !is_left_out {
                modules.insert(module, (name, code(&text)));
            }
        }
        let mut all = Self { modules, exports: BTreeMap::new() };
        for (module, (_, code)) in &all.modules {
            for import in imports(code).into_iter().filter(|import| import.is_exported) {
                if let Some(at) = all.absolute(module, &import.path) {
                    all.exports.insert((module.clone(), import.name), at);
                }
            }
        }
        all
    }

    /// Each file with the files it uses. A re-export is no use: who imports the item uses the file that has it.
    pub fn uses(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        self.collect(|import| !import.is_exported)
    }

    pub fn uses_and_re_exports(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        self.collect(|_| true)
    }

    fn collect(&self, counts: impl Fn(&Import) -> bool) -> BTreeMap<&str, BTreeSet<&str>> {
        let used = |(module, (file, code)): (&Module, &(String, String))| {
            let imported = imports(code).into_iter().filter(|import| counts(import)).map(|import| import.path);
            let all = imported.chain(paths(&without_imports(code)));
            let used = all.filter_map(|path| self.file_of(&self.absolute(module, &path)?));
            used.filter(|used| used != file).collect()
        };
        self.modules.iter().map(|module| (module.1.0.as_str(), used(module))).collect()
    }

    /// The path from the crate's root, or `None` for another crate's item.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let mut from = module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => from.clear(),
            "self" => {}
            "super" => {
                from.pop();
            }
            first => {
                from.push(first.to_owned());
                if !self.modules.contains_key(&from) {
                    return None;
                }
            }
        }
        rest = &rest[1..];
        while rest.first().is_some_and(|part| part == "super") {
            from.pop();
            rest = &rest[1..];
        }
        from.extend_from_slice(rest);
        Some(from)
    }

    fn file_of(&self, path: &[String]) -> Option<&str> {
        let mut at = path.len();
        while !self.modules.contains_key(&path[..at]) {
            at = at.checked_sub(1)?;
        }
        let (module, rest) = path.split_at(at);
        if let Some(exported) = rest.first().and_then(|name| self.exports.get(&(module.to_vec(), name.clone()))) {
            return self.file_of(&[exported, &rest[1..]].concat());
        }
        let (file, code) = &self.modules[module];
        // A module that `#[path]` takes from elsewhere.
        let is_elsewhere = rest.first().is_some_and(|name| code.contains(&format!("mod {name};")));
        (!is_elsewhere).then_some(file)
    }
}

struct Import {
    path: Vec<String>,
    name: String,
    is_exported: bool,
}

/// Where `use` declarations are, and whether they are public.
fn declarations(code: &str) -> Vec<(std::ops::Range<usize>, bool)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = code[at..].find("use ") {
        let start = at + next;
        at = start + 4;
        let before = code[..start].trim_end_matches(' ');
        let is_public = before.ends_with("pub") || before.ends_with(')');
        if is_public || before.is_empty() || before.ends_with(['\n', ';', '{', '}', ']']) {
            let end = code[start..].find(';').map_or(code.len(), |end| start + end);
            found.push((start..end, is_public));
            at = end;
        }
    }
    found
}

fn imports(code: &str) -> Vec<Import> {
    let mut all = Vec::new();
    for (range, is_exported) in declarations(code) {
        for leaf in leaves(&code[range][4..]) {
            let (path, name) = leaf.split_once(" as ").unwrap_or((&leaf, ""));
            let mut path: Vec<String> = path.trim().split("::").map(str::to_owned).collect();
            if path.len() > 1 && path.last().is_some_and(|last| last == "self" || last == "*") {
                path.pop();
            }
            let name = if name.is_empty() { path.last().unwrap().clone() } else { name.trim().to_owned() };
            all.push(Import { path, name, is_exported });
        }
    }
    all
}

fn without_imports(code: &str) -> String {
    let mut rest = code.to_owned();
    for (range, _) in declarations(code).into_iter().rev() {
        rest.replace_range(range, "");
    }
    rest
}

/// `a::{b, c::{d, e}}` is `a::b`, `a::c::d`, `a::c::e`.
fn leaves(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((before, list)) = tree.split_once('{') else { return vec![tree.to_owned()] };
    let (mut depth, mut entries) = (0, vec![String::new()]);
    for c in list[..list.rfind('}').unwrap_or(list.len())].chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match c {
            ',' if depth == 0 => entries.push(String::new()),
            _ => entries.last_mut().unwrap().push(c),
        }
    }
    entries.retain(|entry| !entry.trim().is_empty());
    let below = entries.iter().flat_map(|entry| leaves(entry));
    below.map(|leaf| format!("{before}{leaf}")).collect()
}

/// Every `a::b` in code.
fn paths(code: &str) -> Vec<Vec<String>> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words = code.split(|c: char| !is_path(c)).filter(|word| word.contains("::"));
    words.map(|word| word.split("::").map(|part| part.trim_matches(':').to_owned()).collect()).collect()
}
