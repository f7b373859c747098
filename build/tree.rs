//! The files of the page and the client.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::comments::without_comments;

/// Contents by path, such as `app/main.js`.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// Reads the files of a folder that browsers may ask for. Links, hidden files and what npm installs there are of no concern to them.
pub fn read(web: &Path) -> io::Result<Tree> {
    let mut files = Tree::new();
    let mut unread: Vec<PathBuf> = ["app", "client"].map(|name| web.join(name)).into();
    while let Some(path) = unread.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                let name = entry.file_name();
                let is_foreign = entry.file_type()?.is_symlink() || name == "node_modules";
                if !is_foreign && !name.to_string_lossy().starts_with('.') {
                    unread.push(entry.path());
                }
            }
            continue;
        }
        let names = path.strip_prefix(web).map_err(io::Error::other)?.components();
        let name = names.map(|name| name.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        // What npm reads of the client is for nobody else.
        if !(name.starts_with("client/") && name.ends_with(".json")) {
            let content = fs::read(&path)?;
            files.insert(
                name.clone(),
                if is_script(&name) { without_comments(&text_of(&content)).into() } else { content },
            );
        }
    }
    Ok(files)
}

pub fn text_of(content: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(content)
}

fn is_script(name: &str) -> bool {
    [".js", ".mjs"].iter().any(|end| name.ends_with(end))
}
