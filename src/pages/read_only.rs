//! Resources that answer only `GET` and `HEAD`.

use actix_web::{HttpRequest, HttpResponse, Resource, web};

use crate::api::Problem;

pub fn page(path: &str) -> Resource {
    web::resource(path).default_service(web::to(method_not_allowed))
}

async fn method_not_allowed(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::method_not_allowed(request.method().as_str(), "GET, HEAD", ""))
}
