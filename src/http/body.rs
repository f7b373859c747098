//! Bodies on their way in: bounded in size, in time and in depth, and fit for every reader, before anything else looks at
//! them.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    web::{Bytes, BytesMut, Data},
};
use futures_util::StreamExt;
use serde::{Deserialize, de::DeserializeSeed};

use super::{
    Api,
    problem::{Code, Problem},
    readable::Readable,
};

/// A whole body takes no longer than this to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The JSON body of one request; empty if there was none.
#[derive(Debug)]
pub struct JsonBody(pub Bytes);

/// The JSON body of a batch, which may be larger.
#[derive(Debug)]
pub struct BatchBody(pub Bytes);

/// The body of a beacon. A page that goes away can choose neither headers nor, in effect, the content type.
#[derive(Debug)]
pub struct BeaconBody(pub Bytes);

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

impl FromRequest for JsonBody {
    type Error = Problem;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = limits(request, |limits| limits.body_bytes);
        let reading = read_json(request.clone(), payload.take(), limit);
        Box::pin(async { reading.await.map(JsonBody) })
    }
}

impl FromRequest for BatchBody {
    type Error = Problem;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = limits(request, |limits| limits.batch_bytes);
        let reading = read_json(request.clone(), payload.take(), limit);
        Box::pin(async { reading.await.map(BatchBody) })
    }
}

impl FromRequest for BeaconBody {
    type Error = Problem;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = read(request.clone(), payload.take(), 1024);
        Box::pin(async { reading.await.map(BeaconBody) })
    }
}

fn limits(request: &HttpRequest, limit: fn(&crate::domain::Limits) -> usize) -> usize {
    request.app_data::<Data<Api>>().map_or(0, |api| limit(&api.limits))
}

async fn read_json(request: HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let announced = request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large(limit));
    }
    let bytes = read(request.clone(), payload, limit).await?;
    if !bytes.is_empty() && !is_json(request.content_type()) {
        let detail = "The body needs `Content-Type: application/json` (curl: `-H 'content-type: application/json'`).";
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    if !bytes.is_empty() {
        check(&bytes, limits(&request, |limits| limits.json_depth))?;
    }
    Ok(bytes)
}

pub async fn read(request: HttpRequest, mut payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let mut share = request.app_data::<Data<Api>>().map(|api| api.connections.transit.share());
    let whole = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| Problem::new(Code::MalformedBody, format!("It broke off: {error}.")))?;
            if body.len() + chunk.len() > limit {
                return Err(too_large(limit));
            }
            if share.as_mut().is_some_and(|share| !share.grow(chunk.len())) {
                return Err(Problem::memory_exhausted());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    let late = || Problem::new(Code::BodyTimeout, format!("It took longer than {} s.", BODY_TIMEOUT.as_secs()));
    tokio::time::timeout(BODY_TIMEOUT, whole).await.unwrap_or_else(|_| Err(late()))
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("At most {limit} bytes are taken here."))
}

pub fn is_json(content_type: &str) -> bool {
    let kind = content_type.to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Whether every reader of this text could parse it: it is whole and no deeper than allowed, and also in what is only
/// relayed there are no halves of characters and no numbers beyond all bounds (RFC 7493 section 2).
pub fn check(body: &[u8], depth_max: usize) -> Result<(), Problem> {
    let text = utf8(body)?;
    let mut json = serde_json::Deserializer::from_str(text);
    Readable { depth_left: depth_max }.deserialize(&mut json).and_then(|()| json.end()).map_err(unreadable)
}

fn utf8(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|_| Problem::new(Code::MalformedBody, "The body is not UTF-8."))
}

/// Reads a JSON body: what is not JSON is malformed, what is JSON of another shape is invalid.
pub fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Problem> {
    let text = utf8(body)?;
    // Serde would take an array for an object, field by field.
    if !text.trim_start().starts_with('{') {
        serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(unreadable)?;
        return Err(Problem::invalid("The body must be a JSON object."));
    }
    serde_json::from_str(text).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> Problem {
    match error.classify() {
        serde_json::error::Category::Data => Problem::invalid(format!("{error}.")),
        _ => Problem::new(Code::MalformedBody, format!("{error}.")),
    }
}

/// The same for a body that may be left out.
pub fn parse_or_default<'de, T: Deserialize<'de> + Default>(body: &'de [u8]) -> Result<T, Problem> {
    if body.is_empty() { Ok(T::default()) } else { parse(body) }
}
