//! Resources that answer only `GET` and `HEAD`.

use actix_web::{HttpRequest, HttpResponse, Resource, guard, web};

use crate::api::Problem;

pub fn page(path: &str) -> Resource {
    web::resource(path).default_service(web::to(method_not_allowed))
}

/// Refuses other methods at these paths, before a service that is registered after this would do it in its own way. (`HEAD` has
/// become `GET`.)
pub fn other_methods(path: &str) -> Resource {
    web::resource(path).guard(guard::Not(guard::Get())).to(method_not_allowed)
}

async fn method_not_allowed(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::method_not_allowed(request.method().as_str(), "GET, HEAD", ""))
}
