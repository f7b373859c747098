//! The web page and the client, from the binary or, for development, from a folder.
//!
//! From the binary, the page names its files by a path with their version (`VERSION`), and browsers keep what they got there
//! without asking again: a page that is loaded again, or in another tab, costs one request instead of one for each module.

use std::path::{Path, PathBuf};

use actix_files::{Files, NamedFile, file_extension_to_mime};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, AcceptEncoding, ContentEncoding, ETag, Encoding, EntityTag, Header, HeaderName},
    middleware::DefaultHeaders,
    web::{self, Bytes, ServiceConfig},
};

use crate::{
    api::{Code, Problem},
    pages::{
        embedded::{File, VERSION, file},
        etag::is_known,
        read_only::{other_methods, page},
    },
};

/// Files may be new after each start of the server.
const CACHE_CONTROL: (HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");
/// For files under a path with their version (RFC 8246).
const IMMUTABLE: (HeaderName, &str) = (header::CACHE_CONTROL, "max-age=31536000, immutable");

pub fn embedded(config: &mut ServiceConfig) {
    let index = async |request: HttpRequest| serve(&request, file("app/index.html"), CACHE_CONTROL);
    let test = async |request: HttpRequest| serve(&request, file("app/network-test.html"), CACHE_CONTROL);
    config
        .service(page("/").route(web::get().to(index)))
        .service(page("/network-test").route(web::get().to(test)))
        .service(page("/{version:files-[0-9a-f]{16}}/{path:(?:app|client)/.*}").route(web::get().to(versioned)))
        .service(page("/{path:(?:app|client)/.*}").route(web::get().to(unversioned)));
}

async fn unversioned(request: HttpRequest, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    serve(&request, file(&path), CACHE_CONTROL)
}

/// A file of any version: a node of another version may have served the document. Only this node's version may be kept.
async fn versioned(request: HttpRequest, path: web::Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (version, path) = path.into_inner();
    // The links of documents are relative to another path.
    let file = file(&path).filter(|file| !file.path.ends_with(".html"));
    serve(&request, file, if version == VERSION { IMMUTABLE } else { CACHE_CONTROL })
}

/// Serves a file, compressed if the client takes that. The two forms have different tags (RFC 9110 section 8.8.3.3).
fn serve(
    request: &HttpRequest,
    file: Option<&'static File>,
    caching: (HeaderName, &str),
) -> Result<HttpResponse, Problem> {
    let file = file.ok_or_else(|| Problem::new(Code::NotFound, "The page has no such file."))?;
    let gzip = file.gzip.filter(|_| takes_gzip(request));
    let tag = EntityTag::new_strong(format!("{}{}", file.tag, if gzip.is_some() { "-gzip" } else { "" }));
    let fresh = is_known(request, &tag);
    let mut response = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header(caching).insert_header(ETag(tag)).insert_header((header::VARY, "Accept-Encoding"));
    if fresh {
        return Ok(response.finish());
    }
    if gzip.is_some() {
        response.insert_header(ContentEncoding::Gzip);
    }
    let extension = file.path.rsplit('.').next().unwrap_or_default();
    response.content_type(file_extension_to_mime(extension));
    Ok(response.body(Bytes::from_static(gzip.unwrap_or(file.content))))
}

/// Whether the client names gzip. To one that names nothing or takes anything, files are sent as they are.
fn takes_gzip(request: &HttpRequest) -> bool {
    let offered = [Encoding::gzip(), Encoding::identity()];
    AcceptEncoding::parse(request).is_ok_and(|field| field.negotiate(offered.iter()) == Some(Encoding::gzip()))
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
    config
        .service(file("/", "index.html"))
        .service(file("/network-test", "network-test.html"))
        .service(other_methods("/{path:(?:app|client)/.*}"))
        .service(
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
