//! The OpenAPI document as it is served: written once, at the start.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Data},
};
use sha2::{Digest, Sha256};
use utoipa::openapi::OpenApi;

pub struct WrittenDocument {
    json: Bytes,
    tag: String,
}

impl WrittenDocument {
    pub fn new(document: &OpenApi) -> Self {
        let json = document.to_json().unwrap_or_default();
        let digest = Sha256::digest(json.as_bytes());
        let tag = digest.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        Self { json: json.into(), tag: format!("\"{tag:016x}\"") }
    }

    /// Whether the client has it already. A proxy that compresses makes the tag weak (RFC 9110 section 13.1.2).
    fn is_known(&self, request: &HttpRequest) -> bool {
        let known = request.headers().get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
        known
            .flat_map(|tags| tags.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.trim_start_matches("W/") == self.tag)
    }
}

pub async fn openapi_json(request: HttpRequest, document: Data<WrittenDocument>) -> HttpResponse {
    let is_known = document.is_known(&request);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, document.tag.clone())).insert_header((header::CACHE_CONTROL, "no-cache"));
    if is_known { response.finish() } else { response.content_type("application/json").body(document.json.clone()) }
}
