//! The one list of routes. What the server answers and what the document says both come from it.

use std::{path::PathBuf, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header,
    web::{self, Data, ServiceConfig},
};
use utoipa_actix_web::service_config::ServiceConfig as DocumentedConfig;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    api::{
        handlers::{health, ice_servers, leave_beacon, messages, peers, rooms, websocket_probe},
        methods::Methods,
        problem::{Code, Problem},
    },
    pages::{
        assets,
        document::{WrittenDocument, openapi_json},
    },
};

/// Everything that the OpenAPI document describes. The routes that are asked most often stand
/// first; to mailboxes most calls come without them (`front`).
pub fn api(config: &mut DocumentedConfig<'_>) {
    config
        .service(peers::join)
        .service(peers::leave)
        .service(peers::roster)
        .service(leave_beacon::goodbye)
        .service(messages::poll)
        .service(messages::post_one)
        .service(messages::post_batch)
        .service(rooms::create)
        .service(rooms::look)
        .service(rooms::change)
        .service(rooms::close)
        .service(ice_servers::ice_servers)
        .service(websocket_probe::upgrade)
        .service(health::healthz)
        .service(health::readyz)
        .service(health::metrics);
}

/// What people look at: the page, the documentation, and the pages about problems. And the answer to everything else.
pub fn pages(
    config: &mut ServiceConfig,
    document: Data<WrittenDocument>,
    methods: Arc<Methods>,
    web_dir: Option<PathBuf>,
) {
    // Relative addresses: whatever path a proxy has put the server under.
    let swagger = Config::from("../openapi.json");
    let swagger = swagger.try_it_out_enabled(true).persist_authorization(true).display_request_duration(true);
    config
        .service(problem_page)
        .service(openapi_json)
        .service(SwaggerUi::new("/swagger-ui/{_:.*}").config(swagger))
        .service(web::redirect("/swagger-ui", "swagger-ui/"))
        .app_data(document)
        .app_data(Data::from(methods))
        .default_service(web::to(no_route));
    match web_dir {
        Some(dir) => assets::from_folder(config, dir),
        None => assets::embedded(config),
    }
}

/// The page about one kind of problem, which its `type` refers to.
#[get("/problems/{slug}")]
async fn problem_page(slug: web::Path<String>) -> Result<HttpResponse, Problem> {
    let known = Code::ALL.iter().map(|code| code.row()).find(|row| row.slug == slug.as_str());
    let row = known.ok_or_else(|| Problem::new(Code::NotFound, "There is no such problem."))?;
    let text = format!("{} ({})\n\n{}.\n\n{}\n", row.slug, row.status, row.title, row.action);
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "max-age=3600"))
        .content_type("text/plain; charset=utf-8")
        .body(text))
}

/// Answers what no route took: 405 where another method would have been right, else 404.
async fn no_route(request: HttpRequest, methods: Data<Methods>) -> Problem {
    let path = request.path();
    match methods.of(path) {
        Some(allow) if !allow.split(", ").any(|method| method == request.method().as_str()) => {
            let hint = if DOT_RESOLVED.contains(&path) { NO_DOTS } else { "" };
            Problem::new(Code::MethodNotAllowed, format!("{} is not among them.{hint}", request.method())).allow(allow)
        }
        _ if has_lost_its_room(path) => {
            Problem::new(Code::RoomNameInvalid, format!("The path has lost the room's name.{NO_DOTS}"))
        }
        _ if matches!(path, "/v1/" | "/v1/rooms/") => {
            Problem::new(Code::NotFound, format!("No route has this path.{NO_DOTS}"))
        }
        _ => Problem::new(Code::NotFound, "No route has this path."),
    }
}

const NO_DOTS: &str = " `.` and `..` cannot be names of rooms: clients and proxies resolve them away.";
/// What the paths to join and to post become in a room `.`. In one named `peers` they would be right, with another method.
const DOT_RESOLVED: [&str; 2] = ["/v1/rooms/peers", "/v1/rooms/messages"];

/// Whether the path is what is left when a client has taken `.` or `..` in the place of the room's name for the segment that it is
/// to every URL parser (RFC 3986 section 5.2.4), `%2e` too (URL standard). The server never sees the name.
fn has_lost_its_room(path: &str) -> bool {
    let rest = path.strip_prefix("/v1/rooms/").or_else(|| path.strip_prefix("/v1/"));
    rest.is_some_and(|rest| matches!(rest.split('/').next(), Some("peers" | "messages")))
}
