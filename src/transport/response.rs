//! Responses, in one form however they are sent.

use std::{borrow::Cow, fmt};

use actix_http::{ConnectionType, Response as ActixResponse};
use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};

/// Header fields common to many responses. Names are in lower case.
pub type SharedFields = &'static [(&'static str, &'static str)];

/// `Cache-Control` that forbids caches to store the response, and proxies to change it.
pub const NO_STORE: &str = "no-store, no-transform";

/// A response. Its `Debug` shows only the status, because bodies contain tokens.
pub struct Response {
    status: StatusCode,
    shared: [SharedFields; 2],
    fields: Vec<(&'static str, Cow<'static, str>)>,
    body: ResponseBody,
    closes: bool,
}

enum ResponseBody {
    /// Without a `Content-Length`, too.
    None,
    Text(Cow<'static, str>),
    /// Made by an actix-web handler, with its head.
    Actix(Box<ActixResponse<BoxBody>>),
}

impl Response {
    pub fn text(status: StatusCode, shared: SharedFields, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, shared, ResponseBody::Text(text.into()))
    }

    /// 204 (RFC 9110 section 15.3.5).
    pub fn no_content(shared: SharedFields) -> Self {
        Self::new(StatusCode::NO_CONTENT, shared, ResponseBody::None)
    }

    pub fn from_actix(response: HttpResponse) -> Self {
        let response: ActixResponse<BoxBody> = response.into();
        Self::new(response.status(), &[], ResponseBody::Actix(Box::new(response)))
    }

    fn new(status: StatusCode, shared: SharedFields, body: ResponseBody) -> Self {
        Self { status, shared: [shared, &[]], fields: Vec::new(), body, closes: false }
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Adds a header field. The name must be in lower case.
    pub fn add(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) {
        self.fields.push((name, value.into()));
    }

    /// Adds fields that do not depend on the response; they replace those of an earlier call.
    pub fn add_shared(&mut self, fields: SharedFields) {
        self.shared[1] = fields;
    }

    /// Another response in place of this one, with the fields that do not depend on the response.
    pub fn replaced_by(self, mut other: Self) -> Self {
        other.add_shared(self.shared[1]);
        other
    }

    /// Closes the connection after this response.
    pub fn close_connection(mut self) -> Self {
        self.closes = true;
        self
    }

    pub fn closes_connection(&self) -> bool {
        self.closes
    }

    /// The length of the body, or 0 if it is not known.
    pub fn body_len(&self) -> usize {
        match &self.body {
            ResponseBody::None => 0,
            ResponseBody::Text(text) => text.len(),
            ResponseBody::Actix(response) => match response.body().size() {
                BodySize::Sized(size) => usize::try_from(size).unwrap_or(usize::MAX),
                BodySize::None | BodySize::Stream => 0,
            },
        }
    }

    /// The body, unless the response was made by actix-web.
    pub fn as_text(&self) -> Option<&str> {
        match &self.body {
            ResponseBody::None => Some(""),
            ResponseBody::Text(text) => Some(text),
            ResponseBody::Actix(_) => None,
        }
    }

    /// The header fields, except those that frame the message and those made by actix-web.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let shared = self.shared.into_iter().flatten().map(|(name, value)| (*name, *value));
        shared.chain(self.fields.iter().map(|(name, value)| (*name, value.as_ref())))
    }

    /// The response for actix-http.
    pub fn into_actix(self) -> ActixResponse<BoxBody> {
        let Self { status, shared, fields, body, closes } = self;
        let mut response = match body {
            ResponseBody::None => ActixResponse::new(status),
            ResponseBody::Text(Cow::Borrowed(text)) => ActixResponse::with_body(status, BoxBody::new(text)),
            ResponseBody::Text(Cow::Owned(text)) => ActixResponse::with_body(status, BoxBody::new(text)),
            ResponseBody::Actix(response) => *response,
        };
        let shared = shared.into_iter().flatten().map(|(name, value)| (*name, *value));
        for (name, value) in shared.chain(fields.iter().map(|(name, value)| (*name, value.as_ref()))) {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        if closes {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        response
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({})", self.status)
    }
}

impl From<Response> for HttpResponse {
    fn from(response: Response) -> Self {
        response.into_actix().into()
    }
}
