//! The error responses of each operation in the document, from the table of problems.

use serde_json::{Value, json};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder, Responses, example::ExampleBuilder};

use crate::{
    api::{Code, Problem},
    domain::{Refusal, Seat},
};

/// Adds a response for each status among the problems, with an example of each.
pub fn add_problems(responses: &mut Responses, problems: &[Code]) {
    // Any operation may fail with these.
    let general = [Code::Internal, Code::TooManyConnections, Code::MemoryExhausted];
    let is_documented = |code: &Code| problems.contains(code) || general.contains(code);
    let codes: Vec<Code> = Code::ALL.iter().copied().filter(is_documented).collect();
    for of_status in codes.chunk_by(|one, other| one.row().status == other.row().status) {
        let status = of_status[0].row().status.to_string();
        responses.responses.insert(status, RefOr::T(problem_response(of_status)));
    }
}

fn problem_response(codes: &[Code]) -> Response {
    let titles: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.row().slug, code.row().title)).collect();
    let examples = codes.iter().map(|code| {
        let example = ExampleBuilder::new().summary(code.row().title).value(Some(example_of(*code)));
        (code.row().slug.to_owned(), RefOr::T(example.build()))
    });
    let content = Content::builder()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples.collect::<Vec<_>>())
        .build();
    ResponseBuilder::new().description(titles.join(". ")).content("application/problem+json", content).build()
}

/// An example of the problem, with its extension members.
fn example_of(code: Code) -> Value {
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
        // Jittered in responses, but the document must not vary.
        body["retry_after_ms"] = 1500.into();
    }
    body
}
