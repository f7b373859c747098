//! Pages with generated tables.

use std::{fs, path::Path};

/// Replaces the text between two marks in a page.
pub fn write(page: &str, mark: &str, text: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let page = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mark = format!("<!-- {mark} -->");
    let parts: Vec<&str> = page.split(&mark).collect();
    let [before, _, after] = parts[..] else { return Err(format!("{} needs {mark} twice", path.display())) };
    fs::write(&path, format!("{before}{mark}\n{text}{mark}{after}")).map_err(|error| error.to_string())
}
