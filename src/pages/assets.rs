//! The web page and the client, from the binary or, for development, from a folder.

use std::path::{Path, PathBuf};

use actix_files::{Files, NamedFile};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ETag, HeaderName},
    middleware::DefaultHeaders,
    web::{self, ServiceConfig},
};
use rust_embed::{EmbeddedFile, RustEmbed};

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

pub fn embedded(config: &mut ServiceConfig) {
    let index = async |request: HttpRequest| serve(&request, Page::get("index.html"));
    let test = async |request: HttpRequest| serve(&request, Page::get("network-test.html"));
    let app = async |request: HttpRequest, file: web::Path<String>| serve(&request, Page::get(&file));
    let client = async |request: HttpRequest, file: web::Path<String>| serve(&request, Client::get(&file));
    config
        .service(page("/").route(web::get().to(index)))
        .service(page("/network-test").route(web::get().to(test)))
        .service(page("/app/{file:.*}").route(web::get().to(app)))
        .service(page("/client/{file:.*}").route(web::get().to(client)));
}

fn serve(request: &HttpRequest, file: Option<EmbeddedFile>) -> Result<HttpResponse, Problem> {
    let file = file.ok_or_else(|| Problem::new(Code::NotFound, "The page has no such file."))?;
    let tag = tag_of(&file.metadata.sha256_hash());
    let fresh = is_known(request, &tag);
    let mut response = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header(CACHE_CONTROL).insert_header(ETag(tag));
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
