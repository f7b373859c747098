//! What people open in a browser: the web page and the client, Swagger UI and the OpenAPI document, and a page about each
//! problem.
//!
//! An actix-web application ([`configure`]) for all paths that are not the API's, including unknown ones. It must not use
//! the engine.

pub mod assets;
pub mod document;
mod embedded;
pub mod etag;
mod read_only;
pub mod security_headers;
mod swagger;

use std::path::PathBuf;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Data, ServiceConfig},
};

use crate::{
    api::problem::{Code, DOT_SEGMENT_HINT, Problem},
    pages::{
        document::{WrittenDocument, openapi_json},
        read_only::page,
        swagger::swagger_ui,
    },
};

/// The routes of an actix-web application.
pub fn configure(config: &mut ServiceConfig, document: Data<WrittenDocument>, web_dir: Option<PathBuf>) {
    config
        .app_data(Data::new(swagger::config()))
        .app_data(document)
        .service(page("/problems/{slug}").route(web::get().to(problem_page)))
        .service(page("/openapi.json").route(web::get().to(openapi_json)))
        .service(page("/swagger-ui/{file:.*}").route(web::get().to(swagger_ui)))
        .service(web::redirect("/swagger-ui", "swagger-ui/"))
        .default_service(web::to(not_found));
    match web_dir {
        Some(dir) => assets::from_folder(config, dir),
        None => assets::embedded(config),
    }
}

/// The page to which the `type` of a problem refers.
async fn problem_page(slug: web::Path<String>) -> Result<HttpResponse, Problem> {
    let known = Code::ALL.iter().map(|code| code.row()).find(|row| row.slug == slug.as_str());
    let row = known.ok_or_else(|| Problem::new(Code::NotFound, "No type of problem has this name."))?;
    let text = format!("{} ({})\n\n{}.\n\n{}\n", row.slug, row.status, row.title, row.action);
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "max-age=3600"))
        .content_type("text/plain; charset=utf-8")
        .body(text))
}

async fn not_found(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let path = request.path();
    if path.starts_with("/v1/rooms//") {
        return Err(Problem::new(Code::RoomNameInvalid, "The room's name in the path is empty."));
    }
    if lacks_room_name(path) {
        let detail = format!("The path lacks the room's name.{DOT_SEGMENT_HINT}");
        return Err(Problem::new(Code::RoomNameInvalid, detail));
    }
    let hint = if matches!(path, "/v1/" | "/v1/rooms/") { DOT_SEGMENT_HINT } else { "" };
    Err(Problem::new(Code::NotFound, format!("No page or operation has this path.{hint}")))
}

/// Whether the client's URL parser may have removed a room name `.` or `..` as a dot segment (RFC 3986 section 5.2.4), `%2e`
/// included (URL standard).
fn lacks_room_name(path: &str) -> bool {
    let rest = path.strip_prefix("/v1/rooms/").or_else(|| path.strip_prefix("/v1/"));
    let first = rest.and_then(|rest| rest.split('/').next());
    matches!(first, Some("peers" | "messages" | "whip" | "whep" | "sessions"))
}
