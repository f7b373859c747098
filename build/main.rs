//! Prepares the files of `web` for the binary: without comments, compressed, and with the version in the links of documents.
//! `docs/decisions/embedded-files.md` says why, `src/pages/embedded.rs` has the table that this writes.
#![expect(clippy::print_stdout, reason = "this is how a build script speaks to Cargo")]

mod comments;
mod document;
mod imports;
mod tree;

use std::{
    env,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write as _},
    path::PathBuf,
};

use flate2::{Compression, write::GzEncoder};

use tree::Tree;

fn main() -> io::Result<()> {
    let missing = |name| io::Error::other(format!("Cargo has not set {name}"));
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or_else(|| missing(name));
    let (root, out) = (variable("CARGO_MANIFEST_DIR")?, variable("OUT_DIR")?);
    for changed in ["build", "web/app", "web/client"] {
        println!("cargo::rerun-if-changed={changed}");
    }
    let mut files = tree::read(&root.join("web"))?;
    // The header fields are kept with the files, and may be other ones in the next release.
    let version = format!("files-{}", hash(&(env!("CARGO_PKG_VERSION"), &files)));
    document::finish(&mut files, &version);
    fs::write(out.join("web.rs"), table(&files, &version, &out.join("web"))?)
}

/// Writes each file and its compressed form into a folder, and returns the Rust code that includes them.
fn table(files: &Tree, version: &str, folder: &std::path::Path) -> io::Result<String> {
    fs::create_dir_all(folder)?;
    let mut code = format!("pub const VERSION: &str = {version:?};\nstatic FILES: &[File] = &[\n");
    for (number, (path, content)) in files.iter().enumerate() {
        fs::write(folder.join(number.to_string()), content)?;
        let smaller = Some(compressed(content)?).filter(|gzip| gzip.len() < content.len());
        let gzip = match smaller {
            Some(gzip) => {
                fs::write(folder.join(format!("{number}.gz")), gzip)?;
                format!("Some({})", included(&format!("{number}.gz")))
            }
            None => "None".into(),
        };
        let (tag, content) = (hash(content), included(&number.to_string()));
        let row = format!("    File {{ path: {path:?}, tag: {tag:?}, content: {content}, gzip: {gzip} }},");
        writeln!(code, "{row}").map_err(io::Error::other)?;
    }
    Ok(code + "];\n")
}

fn included(name: &str) -> String {
    format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/web/{name}\"))")
}

fn compressed(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    encoder.finish()
}

/// To tell versions apart, 64 bits are enough, and nobody gains by two that look the same.
fn hash(content: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
