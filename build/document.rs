//! The links of documents.

use crate::{
    imports::needed_by,
    tree::{Tree, text_of},
};

const MODULE: &str = "<script type=\"module\" src=\"";

/// Puts the version into the links of all documents, and names the modules that each will need. Otherwise a browser finds a module
/// only once it has the one that imports it, and each of a dozen levels takes a round trip.
pub fn finish(files: &mut Tree, version: &str) {
    let documents: Vec<_> = files.keys().filter(|name| name.ends_with(".html")).cloned().collect();
    for name in documents {
        let written = files.get(&name).map(|content| finished(files, &text_of(content), version));
        files.extend(written.map(|written| (name, written.into_bytes())));
    }
}

fn finished(files: &Tree, text: &str, version: &str) -> String {
    let entry = text.split_once(MODULE).and_then(|(_, rest)| rest.split_once('"')).map(|(entry, _)| entry);
    let needed = entry.map(|entry| needed_by(files, entry)).unwrap_or_default();
    // All in the line of the script, which keeps the numbers of lines. With less priority than styles have: the page is painted first.
    let link = |path: &String| format!("<link rel=\"modulepreload\" href=\"{version}/{path}\" fetchpriority=\"low\">");
    let links: String = needed.iter().map(link).collect();
    text.replacen(MODULE, &format!("{links}{MODULE}"), 1).replace("=\"app/", &format!("=\"{version}/app/"))
}
