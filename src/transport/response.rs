//! A response, in one form for everything that writes it.

use std::{borrow::Cow, fmt};

use actix_http::{Response as ActixResponse, ResponseHead};
use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};

/// Header fields that all responses of a kind have. Names are in lower case.
pub type SharedFields = &'static [(&'static str, &'static str)];

/// `Cache-Control` of what nobody may keep, and nobody may change.
pub const NO_STORE: &str = "no-store, no-transform";

/// A response. Its `Debug` shows nothing of what is in it: tokens are.
pub struct Response {
    status: StatusCode,
    shared: SharedFields,
    fields: Vec<(&'static str, Cow<'static, str>)>,
    body: ResponseBody,
    closes: bool,
}

enum ResponseBody {
    /// Not even a length of zero is told.
    None,
    Text(Cow<'static, str>),
    /// Made by an actix-web handler; its head is there, too.
    Actix(Box<ActixResponse<BoxBody>>),
}

impl Response {
    pub fn text(status: StatusCode, shared: SharedFields, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status, shared, fields: Vec::new(), body: ResponseBody::Text(text.into()), closes: false }
    }

    /// 204 (RFC 9110 section 15.3.5).
    pub fn no_content(shared: SharedFields) -> Self {
        let (status, body) = (StatusCode::NO_CONTENT, ResponseBody::None);
        Self { status, shared, fields: Vec::new(), body, closes: false }
    }

    /// Of an actix-web application.
    pub fn from_actix(response: HttpResponse) -> Self {
        let response: ActixResponse<BoxBody> = response.into();
        let (status, body) = (response.status(), ResponseBody::Actix(Box::new(response)));
        Self { status, shared: &[], fields: Vec::new(), body, closes: false }
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Adds a header field. The name is written as it stands, so in lower case.
    pub fn add(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) {
        self.fields.push((name, value.into()));
    }

    /// No further request is taken on its connection.
    pub fn close_connection(mut self) -> Self {
        self.closes = true;
        self
    }

    pub fn closes_connection(&self) -> bool {
        self.closes
    }

    /// Bytes of the body, as far as they are known.
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

    /// The body, if the whole response can be written by hand: all but those of actix-web can.
    pub fn as_text(&self) -> Option<&str> {
        match &self.body {
            ResponseBody::None => Some(""),
            ResponseBody::Text(text) => Some(text),
            ResponseBody::Actix(_) => None,
        }
    }

    /// All header fields but those that say how it is sent.
    pub fn for_each_field(&self, mut give: impl FnMut(&'static str, &str)) {
        for (name, value) in self.shared {
            give(name, value);
        }
        for (name, value) in &self.fields {
            give(name, value);
        }
    }

    /// The same for actix-http, which writes what is not written by hand.
    pub fn into_actix(self) -> ActixResponse<BoxBody> {
        let Self { status, shared, fields, body, closes } = self;
        let mut response = match body {
            ResponseBody::None => ActixResponse::new(status),
            ResponseBody::Text(Cow::Borrowed(text)) => ActixResponse::with_body(status, BoxBody::new(text)),
            ResponseBody::Text(Cow::Owned(text)) => ActixResponse::with_body(status, BoxBody::new(text)),
            ResponseBody::Actix(response) => *response,
        };
        let shared = shared.iter().map(|(name, value)| (*name, *value));
        for (name, value) in shared.chain(fields.iter().map(|(name, value)| (*name, value.as_ref()))) {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        if closes {
            close(response.head_mut());
        }
        response
    }
}

fn close(head: &mut ResponseHead) {
    head.set_connection_type(actix_http::ConnectionType::Close);
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
