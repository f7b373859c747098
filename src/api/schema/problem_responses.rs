//! The error responses of each operation in the document, from the table of problems.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder, example::ExampleBuilder};

use crate::{
    api::problem::{Code, Problem},
    domain::{Refusal, Seat},
};

/// Names the problems that an operation may answer with, for its documentation.
macro_rules! refusals {
    ($name:ident: $($code:ident),+ $(,)?) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                use crate::api::problem::Code;
                crate::api::schema::problem_responses::problem_responses(&[$(Code::$code),+])
            }
        }
    };
}
pub(crate) use refusals;

/// The error answers of an operation, from the table: one for each status, with an example of each problem.
pub fn problem_responses(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<String, Vec<Code>> = BTreeMap::new();
    // Every operation may meet the server's own mistakes and limits.
    for code in codes.iter().copied().chain([Code::Internal, Code::TooManyConnections, Code::MemoryExhausted]) {
        by_status.entry(code.row().status.to_string()).or_default().push(code);
    }
    by_status.into_iter().map(|(status, codes)| (status, RefOr::T(problem_response(&codes)))).collect()
}

fn problem_response(codes: &[Code]) -> Response {
    let says: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.row().slug, code.row().title)).collect();
    let examples = codes.iter().map(|code| {
        let example = ExampleBuilder::new().summary(code.row().title).value(Some(example_of(*code)));
        (code.row().slug.to_owned(), RefOr::T(example.build()))
    });
    let content = Content::builder()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples.collect::<Vec<_>>())
        .build();
    ResponseBuilder::new().description(says.join(". ")).content("application/problem+json", content).build()
}

/// What a problem of this kind looks like, with its further members.
pub fn example_of(code: Code) -> Value {
    let span = std::time::Duration::from_millis;
    let problem: Problem = match code {
        Code::RoomFull => {
            let seats = vec![Seat { frees_in: None }, Seat { frees_in: Some(span(12_000)) }];
            Refusal::RoomFull { capacity: 2, seats }.into()
        }
        Code::Draining => Refusal::Draining.into(),
        code => Problem::new(code, "…"),
    };
    let mut body = json!(problem.body());
    if code == Code::Draining {
        // Jittered in life; the document must be the same each time.
        body["retry_after_ms"] = 1500.into();
    }
    body
}
