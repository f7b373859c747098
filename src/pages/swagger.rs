//! Swagger UI: its settings and its files.

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ETag, EntityTag},
    web::{self, Bytes, Data},
};
use twox_hash::XxHash3_64;
use utoipa_swagger_ui::Config;

use crate::{
    api::{Code, Problem},
    pages::etag::is_known,
};

pub fn config() -> Config<'static> {
    // A relative address works under any base path.
    Config::from("../openapi.json")
        // Without the bar in which another document could be named; its logo has an inline style.
        .use_base_layout()
        .try_it_out_enabled(true)
        // Tokens are gone with the page, and nobody else is told of the document.
        .persist_authorization(false)
        .validator_url("none")
        .display_request_duration(true)
}

pub async fn swagger_ui(
    request: HttpRequest,
    file: web::Path<String>,
    config: Data<Config<'static>>,
) -> Result<HttpResponse, Problem> {
    let found = utoipa_swagger_ui::serve(&file, config.into_inner());
    let found = found.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    let file = found.ok_or_else(|| Problem::new(Code::NotFound, "Swagger UI has no such file."))?;
    let tag = EntityTag::new_strong(format!("{:016x}", XxHash3_64::oneshot(&file.bytes)));
    let is_known = is_known(&request, &tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header(ETag(tag)).insert_header((header::CACHE_CONTROL, "no-cache"));
    if is_known {
        return Ok(response.finish());
    }
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    Ok(response.content_type(file.content_type).body(bytes))
}
