//! The OpenAPI document, serialized once at startup.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ETag, EntityTag},
    web::{Bytes, Data},
};
use sha2::{Digest, Sha256};
use utoipa::openapi::OpenApi;

use crate::pages::etag::{is_known, tag_of};

pub struct WrittenDocument {
    json: Bytes,
    tag: EntityTag,
}

impl WrittenDocument {
    pub fn new(document: &OpenApi) -> Self {
        let json = document.to_json().unwrap_or_default();
        let tag = tag_of(&Sha256::digest(json.as_bytes()));
        Self { json: json.into(), tag }
    }
}

pub async fn openapi_json(request: HttpRequest, document: Data<WrittenDocument>) -> HttpResponse {
    let is_known = is_known(&request, &document.tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header(ETag(document.tag.clone())).insert_header((header::CACHE_CONTROL, "no-cache"));
    if is_known { response.finish() } else { response.content_type("application/json").body(document.json.clone()) }
}
