//! Resources that answer only `GET` and `HEAD`.

use actix_web::{HttpRequest, Resource, web};

use crate::api::problem::{Code, Problem};

pub fn page(path: &str) -> Resource {
    web::resource(path).default_service(web::to(method_not_allowed))
}

async fn method_not_allowed(request: HttpRequest) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("{} is not among them.", request.method())).allow("GET, HEAD")
}
