//! The page and the client, from the binary or, for working on them, from a folder.

use std::path::PathBuf;

use actix_files::{Files, NamedFile};
use actix_web::{
    HttpRequest, HttpResponse, Responder,
    http::header::{self, ETag, HeaderName},
    middleware::DefaultHeaders,
    web::{self, Data, ServiceConfig},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::{
    api::{Code, Problem},
    pages::{
        etag::{is_known, tag_of},
        page,
    },
};

#[derive(RustEmbed)]
#[folder = "web/app"]
struct Page;

#[derive(RustEmbed)]
#[folder = "web/client"]
#[exclude = "*.json"]
struct Client;

/// Nothing from elsewhere, nothing inline, nothing framed.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-cache"),
];

pub fn embedded(config: &mut ServiceConfig) {
    config
        .service(page("/").route(web::get().to(embedded_index)))
        .service(page("/network-test").route(web::get().to(embedded_test)))
        .service(page("/app/{file:.*}").route(web::get().to(embedded_page)))
        .service(page("/client/{file:.*}").route(web::get().to(embedded_client)));
}

async fn embedded_index(request: HttpRequest) -> Result<HttpResponse, Problem> {
    serve(&request, Page::get("index.html"))
}

async fn embedded_test(request: HttpRequest) -> Result<HttpResponse, Problem> {
    serve(&request, Page::get("network-test.html"))
}

async fn embedded_page(request: HttpRequest, file: web::Path<String>) -> Result<HttpResponse, Problem> {
    serve(&request, Page::get(&file))
}

async fn embedded_client(request: HttpRequest, file: web::Path<String>) -> Result<HttpResponse, Problem> {
    serve(&request, Client::get(&file))
}

fn serve(request: &HttpRequest, file: Option<EmbeddedFile>) -> Result<HttpResponse, Problem> {
    let file = file.ok_or_else(|| Problem::new(Code::NotFound, "The page has no such file."))?;
    let tag = tag_of(&file.metadata.sha256_hash());
    let fresh = is_known(request, &tag);
    let mut response = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    for header in HEADERS {
        response.insert_header(header);
    }
    response.insert_header(ETag(tag));
    if fresh {
        return Ok(response.finish());
    }
    Ok(response.content_type(file.metadata.mimetype()).body(file.data.into_owned()))
}

/// The folder that `--web-dir` names.
struct Folder(PathBuf);

pub fn from_folder(config: &mut ServiceConfig, dir: PathBuf) {
    let files = |path: &str, name: &str| Files::new(path, dir.join(name)).use_etag(true);
    let headers = HEADERS.into_iter().fold(DefaultHeaders::new(), |headers, header| headers.add(header));
    let (app, client) = (files("/app", "app"), files("/client", "client"));
    config.app_data(Data::new(Folder(dir)));
    config.service(page("/").wrap(headers.clone()).route(web::get().to(folder_index)));
    config.service(page("/network-test").wrap(headers.clone()).route(web::get().to(folder_test)));
    config.service(web::scope("").wrap(headers).service(app).service(client));
}

async fn folder_index(request: HttpRequest, folder: Data<Folder>) -> Result<HttpResponse, Problem> {
    folder.serve(&request, "index.html")
}

async fn folder_test(request: HttpRequest, folder: Data<Folder>) -> Result<HttpResponse, Problem> {
    folder.serve(&request, "network-test.html")
}

impl Folder {
    fn serve(&self, request: &HttpRequest, name: &str) -> Result<HttpResponse, Problem> {
        let missing = |_| Problem::new(Code::NotFound, format!("The folder of `--web-dir` has no app/{name}."));
        let file = NamedFile::open(self.0.join("app").join(name)).map_err(missing)?;
        Ok(file.respond_to(request).map_into_boxed_body())
    }
}
