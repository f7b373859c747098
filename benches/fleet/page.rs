//! docs/scaling.md, whose tables are what was measured.

use std::{fs, path::Path};

/// Puts a text between its two marks in docs/scaling.md.
pub fn write(mark: &str, text: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scaling.md");
    let page = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mark = format!("<!-- {mark} -->");
    let parts: Vec<&str> = page.split(&mark).collect();
    let [before, _, after] = parts[..] else { return Err(format!("{} has not two of {mark}", path.display())) };
    fs::write(&path, format!("{before}{mark}\n{text}{mark}{after}")).map_err(|error| error.to_string())
}
