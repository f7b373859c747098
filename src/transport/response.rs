//! An answer of the API, in one form for HTTP/1 as we write it and for actix.

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};

use crate::api::problem::Code;

/// Nobody on the way may keep or change it. Its `Debug` shows nothing of what is in it: tokens are.
pub struct Answer {
    pub status: StatusCode,
    /// Of the body, if there is one.
    content_type: Option<&'static str>,
    pub body: String,
    /// Which problem it is, if it is one.
    pub code: Option<Code>,
    fields: Vec<(&'static str, String)>,
}

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

impl Answer {
    /// JSON that is written already.
    pub fn json(status: StatusCode, body: String) -> Self {
        Self { status, content_type: Some(JSON), body, code: None, fields: Vec::new() }
    }

    pub fn problem(status: StatusCode, code: Code, body: String) -> Self {
        Self { status, content_type: Some(PROBLEM), body, code: Some(code), fields: Vec::new() }
    }

    pub fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    pub fn empty(status: StatusCode) -> Self {
        Self { status, content_type: None, body: String::new(), code: None, fields: Vec::new() }
    }

    /// Adds a field to its head. The name is written as it is, so in small letters.
    pub fn add(&mut self, name: &'static str, value: String) {
        self.fields.push((name, value));
    }

    /// No further request is taken on its connection.
    pub fn is_last(&self) -> bool {
        self.code == Some(Code::TooManyConnections)
    }

    /// All fields but those that say how it is sent.
    pub fn each_field(&self, mut give: impl FnMut(&'static str, &str)) {
        if let Some(content_type) = self.content_type {
            give("content-type", content_type);
        }
        give("cache-control", crate::api::NEVER_STORED);
        if self.code.is_some() {
            give("x-content-type-options", "nosniff");
        }
        for (name, value) in &self.fields {
            give(name, value);
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({})", self.status)
    }
}

impl From<Answer> for HttpResponse {
    fn from(answer: Answer) -> Self {
        let mut response = HttpResponse::build(answer.status);
        answer.each_field(|name, value| {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.insert_header((HeaderName::from_static(name), value));
            }
        });
        if answer.is_last() {
            response.force_close();
        }
        if let Some(code) = answer.code {
            response.extensions_mut().insert(code);
        }
        if answer.content_type.is_some() { response.body(answer.body) } else { response.finish() }
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.into()
    }
}
