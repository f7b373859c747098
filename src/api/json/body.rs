//! Bodies on their way in: bounded in size, in time and in depth, and fit for every reader, before anything else looks at
//! them.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
    time::Duration,
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    web::{Bytes, BytesMut, Data},
};
use futures_util::StreamExt;
use serde::{Deserialize, de::DeserializeSeed};

use crate::{
    api::{
        Api,
        json::strict::Readable,
        problem::{Code, Problem},
    },
    domain::Limits,
    transport::{
        headers::{Field, Fields},
        limits::memory_budget::{Share, Transit},
    },
};

/// A whole body takes no longer than this to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The JSON body of one request; empty if there was none.
#[derive(Debug)]
pub struct JsonBody(pub Bytes);

/// A message, which its own parser checks.
#[derive(Debug)]
pub struct SignalBody(pub Bytes);

/// A batch of them, which may be larger.
#[derive(Debug)]
pub struct BatchBody(pub Bytes);

/// The body of a beacon. A page that goes away can choose neither headers nor, in effect, the content type.
#[derive(Debug)]
pub struct BeaconBody(pub Bytes);

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

macro_rules! body {
    ($name:ident, $read:ident, $limit:expr) => {
        impl FromRequest for $name {
            type Error = Problem;
            type Future = Reading<Self>;

            fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
                let Some(api) = request.app_data::<Data<Api>>() else {
                    return Box::pin(async {
                        Err(Problem::new(Code::Internal, "The server was put together wrongly."))
                    });
                };
                let limit: fn(&Limits) -> usize = $limit;
                let incoming = Incoming::new(api, Fields::Map(request.headers()), limit(&api.limits));
                let body = Coming::Stream(payload.take());
                Box::pin(async { incoming.$read(body).await.map($name) })
            }
        }
    };
}

body!(JsonBody, json, |limits| limits.body_bytes);
body!(SignalBody, unchecked, |limits| limits.body_bytes);
body!(BatchBody, unchecked, |limits| limits.batch_bytes);

impl FromRequest for BeaconBody {
    type Error = Problem;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let transit = request.app_data::<Data<Api>>().map(|api| &api.connections.transit);
        let share = transit.map_or_else(|| Transit::new(0).share(), Transit::share);
        let reading = read(payload.take(), BEACON_BYTES, share);
        Box::pin(async { reading.await.map(BeaconBody) })
    }
}

const BEACON_BYTES: usize = 1024;

/// A body, as far as it has come.
pub enum Coming {
    Whole(Bytes),
    Stream(Payload),
}

impl Coming {
    pub fn into_stream(self) -> Payload {
        match self {
            Self::Whole(_) => Payload::None,
            Self::Stream(payload) => payload,
        }
    }
}

/// What a request says of its body, which is to be read: the request itself is not needed any more.
pub struct Incoming {
    limit: usize,
    announced: Option<usize>,
    is_json: bool,
    share: Share,
    depth_max: usize,
}

impl Incoming {
    pub fn new(api: &Api, fields: Fields<'_>, limit: usize) -> Self {
        let kind = fields.text(Field::ContentType).and_then(|kind| kind.split(';').next());
        Self {
            limit,
            announced: fields.text(Field::ContentLength).and_then(|length| length.parse().ok()),
            is_json: kind.is_some_and(|kind| is_json(kind.trim())),
            share: api.connections.transit.share(),
            depth_max: api.limits.json_depth,
        }
    }

    /// The body, if it is JSON, or empty.
    pub async fn json(self, body: Coming) -> Result<Bytes, Problem> {
        let depth_max = self.depth_max;
        let bytes = self.unchecked(body).await?;
        if !bytes.is_empty() {
            check(&bytes, depth_max)?;
        }
        Ok(bytes)
    }

    /// The body, if it is declared as JSON, or empty.
    pub async fn unchecked(self, body: Coming) -> Result<Bytes, Problem> {
        if self.announced.is_some_and(|length| length > self.limit) {
            return Err(too_large(self.limit));
        }
        let bytes = match body {
            Coming::Whole(bytes) => whole(bytes, self.share)?,
            Coming::Stream(payload) => read(payload, self.limit, self.share).await?,
        };
        if !bytes.is_empty() && !self.is_json {
            let detail =
                "The body needs `Content-Type: application/json` (curl: `-H 'content-type: application/json'`).";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        Ok(bytes)
    }
}

/// One that is there, and is as long as was announced.
fn whole(bytes: Bytes, mut share: Share) -> Result<Bytes, Problem> {
    if share.grow(bytes.len()) { Ok(bytes) } else { Err(Problem::memory_exhausted()) }
}

pub async fn read(payload: Payload, limit: usize, share: Share) -> Result<Bytes, Problem> {
    let mut whole = std::pin::pin!(read_whole(payload, limit, share));
    // Mostly it is there already, and needs no time-out.
    if let Poll::Ready(there) = poll_fn(|context| Poll::Ready(whole.as_mut().poll(context))).await {
        return there;
    }
    let late = || Problem::new(Code::BodyTimeout, format!("It took longer than {} s.", BODY_TIMEOUT.as_secs()));
    tokio::time::timeout(BODY_TIMEOUT, whole).await.unwrap_or_else(|_| Err(late()))
}

/// A body that comes in one piece is not copied.
async fn read_whole(mut payload: Payload, limit: usize, mut share: Share) -> Result<Bytes, Problem> {
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Problem::new(Code::MalformedBody, format!("It broke off: {error}.")))?;
        if first.len().max(all.len()) + chunk.len() > limit {
            return Err(too_large(limit));
        }
        if !share.grow(chunk.len()) {
            return Err(Problem::memory_exhausted());
        }
        if first.is_empty() {
            first = chunk;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&chunk);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("At most {limit} bytes are taken here."))
}

pub fn is_json(content_type: &str) -> bool {
    const APPLICATION: usize = "application/".len();
    let Some((application, kind)) = content_type.split_at_checked(APPLICATION) else { return false };
    let suffix = kind.len().checked_sub("+json".len()).and_then(|length| kind.split_at_checked(length));
    application.eq_ignore_ascii_case("application/")
        && (kind.eq_ignore_ascii_case("json") || suffix.is_some_and(|(_, suffix)| suffix.eq_ignore_ascii_case("+json")))
}

/// Whether every reader of this text could parse it: it is whole and no deeper than allowed, and also in what is only
/// relayed there are no halves of characters and no numbers beyond all bounds (RFC 7493 section 2).
pub fn check(body: &[u8], depth_max: usize) -> Result<(), Problem> {
    check_text(utf8(body)?, depth_max)
}

/// The same of a value that is known to be JSON. In a string nothing can be wrong but halves of characters, which can only
/// be written by their numbers.
pub fn check_value(json: &str, depth_max: usize) -> Result<(), Problem> {
    let may_have_halves = || json.contains("\\uD") || json.contains("\\ud");
    if json.starts_with('"') && !may_have_halves() { Ok(()) } else { check_text(json, depth_max) }
}

fn check_text(text: &str, depth_max: usize) -> Result<(), Problem> {
    let mut json = serde_json::Deserializer::from_str(text);
    Readable { depth_left: depth_max }.deserialize(&mut json).and_then(|()| json.end()).map_err(unreadable)
}

pub fn utf8(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|_| Problem::new(Code::MalformedBody, "The body is not UTF-8."))
}

/// Reads a JSON body: what is not JSON is malformed, what is JSON of another shape is invalid.
pub fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Problem> {
    parse_text(utf8(body)?)
}

pub fn parse_text<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Problem> {
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
