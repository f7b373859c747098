//! The web page and the client, from the binary or, for development, from a folder.
//!
//! From the binary, the page names its files by a path with their version (`VERSION`), and browsers keep what they got there
//! without asking again: a page that is loaded again, or in another tab, costs one request instead of one for each module.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use actix_files::{Files, NamedFile};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ETag, HeaderName},
    middleware::DefaultHeaders,
    web::{self, ServiceConfig},
};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};

use crate::{
    api::{Code, Problem},
    pages::{
        etag::{is_known, tag_of},
        read_only::page,
    },
};

#[derive(RustEmbed)]
#[folder = "web/app"]
struct Page;

#[derive(RustEmbed)]
#[folder = "web/client"]
#[exclude = "*.json"]
struct Client;

/// Files may be new after each start of the server.
const CACHE_CONTROL: (HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");
/// For files under a path with their version (RFC 8246).
const IMMUTABLE: (HeaderName, &str) = (header::CACHE_CONTROL, "max-age=31536000, immutable");

/// The first segment of the path under which this version of the page has its files.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let app = Page::iter().map(|name| (name.clone(), Page::get(&name)));
    let client = Client::iter().map(|name| (name.clone(), Client::get(&name)));
    let mut files: Vec<_> =
        app.chain(client).map(|(name, file)| (name, file.map(|file| file.metadata.sha256_hash()))).collect();
    files.sort();
    // The header fields are kept with the files, and may be other ones in the next release.
    let release = Sha256::new_with_prefix(env!("CARGO_PKG_VERSION"));
    let digest = files.iter().fold(release, |digest, (name, hash)| {
        digest.chain_update(name.as_bytes()).chain_update(hash.unwrap_or_default())
    });
    format!("files-{}", tag_of(&digest.finalize()).tag())
});

pub fn embedded(config: &mut ServiceConfig) {
    let index = async |request: HttpRequest| document(&request, "index.html");
    let test = async |request: HttpRequest| document(&request, "network-test.html");
    let app = async |request: HttpRequest, file: web::Path<String>| serve(&request, Page::get(&file), CACHE_CONTROL);
    let client =
        async |request: HttpRequest, file: web::Path<String>| serve(&request, Client::get(&file), CACHE_CONTROL);
    config
        .service(page("/").route(web::get().to(index)))
        .service(page("/network-test").route(web::get().to(test)))
        .service(page("/{version:files-[0-9a-f]{16}}/{folder:app|client}/{file:.*}").route(web::get().to(versioned)))
        .service(page("/app/{file:.*}").route(web::get().to(app)))
        .service(page("/client/{file:.*}").route(web::get().to(client)));
}

/// A file of any version: a node of another version may have served the document. Only this node's version may be kept.
async fn versioned(request: HttpRequest, path: web::Path<(String, String, String)>) -> Result<HttpResponse, Problem> {
    let (version, folder, file) = path.into_inner();
    if file.ends_with(".html") {
        // Its links are relative to another path.
        return serve(&request, None, CACHE_CONTROL);
    }
    let file = if folder == "app" { Page::get(&file) } else { Client::get(&file) };
    serve(&request, file, if version == *VERSION { IMMUTABLE } else { CACHE_CONTROL })
}

/// A document, with the version in its links.
fn document(request: &HttpRequest, name: &str) -> Result<HttpResponse, Problem> {
    let file = Page::get(name).map(|mut file| {
        let written = String::from_utf8_lossy(&file.data).replace("=\"app/", &format!("=\"{}/app/", *VERSION));
        file.data = Cow::Owned(written.into_bytes());
        file
    });
    serve(request, file, CACHE_CONTROL)
}

fn serve(
    request: &HttpRequest,
    file: Option<EmbeddedFile>,
    caching: (HeaderName, &str),
) -> Result<HttpResponse, Problem> {
    let file = file.ok_or_else(|| Problem::new(Code::NotFound, "The page has no such file."))?;
    let tag = tag_of(&Sha256::digest(&file.data));
    let fresh = is_known(request, &tag);
    let mut response = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header(caching).insert_header(ETag(tag));
    if fresh {
        return Ok(response.finish());
    }
    Ok(response.content_type(file.metadata.mimetype()).body(file.data.into_owned()))
}

/// Serves the folder of `--web-dir`, and nothing to which links lead out of it.
pub fn from_folder(config: &mut ServiceConfig, dir: PathBuf) {
    let files = |path: &str, name: &str| {
        let (root, inside) = (dir.clone(), dir.join(name));
        Files::new(path, inside.clone()).use_etag(true).path_filter(move |file, _| is_inside(&root, &inside.join(file)))
    };
    let headers = DefaultHeaders::new().add(CACHE_CONTROL);
    let file = |path: &str, name: &'static str| {
        let (root, file) = (dir.clone(), dir.join("app").join(name));
        let open = move || {
            let opened = is_inside(&root, &file).then(|| NamedFile::open(&file).ok()).flatten();
            std::future::ready(opened.ok_or_else(|| missing(name)))
        };
        page(path).wrap(headers.clone()).route(web::get().to(open))
    };
    config.service(file("/", "index.html")).service(file("/network-test", "network-test.html")).service(
        web::scope("").wrap(headers.clone()).service(files("/app", "app")).service(files("/client", "client")),
    );
}

/// Whether the file is in the folder once all links have been followed.
fn is_inside(folder: &Path, file: &Path) -> bool {
    let real = |path: &Path| path.canonicalize();
    real(folder).is_ok_and(|folder| real(file).is_ok_and(|file| file.starts_with(folder)))
}

fn missing(name: &str) -> Problem {
    Problem::new(Code::NotFound, format!("The folder of `--web-dir` has no app/{name}."))
}
