//! The files of the page and the client in the binary, as `build/` has prepared them: programs without comments, everything compressed.

/// A file, and what browsers are told of it.
pub struct File {
    /// Below `web`.
    pub path: &'static str,
    /// Differs if the content does.
    pub tag: &'static str,
    pub content: &'static [u8],
    /// None if it would not be smaller.
    pub gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/web.rs"));

/// `VERSION` is the first segment of the path under which this version of the page has its files; `FILES` are sorted by path.
pub fn file(path: &str) -> Option<&'static File> {
    FILES.binary_search_by_key(&path, |file| file.path).ok().and_then(|at| FILES.get(at))
}
