//! The entry point of every request: metrics, host, CORS, base path, then its operation or the pages.

use std::{future::Future, sync::Arc};

use actix_http::Request as DecodedRequest;
use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{Service as ActixService, ServiceResponse},
    http::StatusCode,
};
use futures_util::future::Either;

use crate::{
    api::{
        Api,
        allowed_hosts::AllowedHosts,
        base_path::BasePath,
        cors::Cors,
        cross_origin,
        operation::{Call, ResponseFuture},
        problem::{Code, DOT_SEGMENT_HINT, Problem},
        router::{Routed, Router},
    },
    transport::{
        Overload, Request, Response, Service,
        response::{NO_STORE, SharedFields},
    },
};

/// The API, and the pages for any path that it does not know.
pub struct Dispatch<P> {
    pub api: Arc<Api>,
    pub router: Arc<Router>,
    pub hosts: Arc<AllowedHosts>,
    pub cors: Arc<Cors>,
    pub base_path: BasePath,
    /// An actix-web application.
    pub pages: P,
}

impl<P, B> Service for Dispatch<P>
where
    P: ActixService<DecodedRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    P::Future: 'static,
    B: MessageBody + 'static,
{
    fn call(&self, request: Request) -> impl Future<Output = Response> + 'static {
        let path = request.path();
        let in_flight = self.api.request_metrics.begin(request.method(), self.base_path.strip(path));
        let cors_fields = self.cors.fields(request.headers());
        let answering = match self.answer(&request, path) {
            Some(answering) => Either::Left(answering),
            None => Either::Right(Box::pin(self.pages.call(request.into_decoded(self.base_path.as_str())))),
        };
        async move {
            let (mut response, code) = match answering {
                Either::Left(Ok(answering)) => outcome(answering.await),
                Either::Left(Err(problem)) => outcome(Err(problem)),
                Either::Right(page) => page_outcome(page.await),
            };
            response.add_shared(cors_fields);
            in_flight.end(&mut response, code);
            response
        }
    }

    fn refuse(&self, overload: Overload, request: Option<&Request>) -> Response {
        let is_over_limit = matches!(overload, Overload::Connections);
        // A page may read the refusal of its request only if the preflight has succeeded.
        let (mut response, code) = match request.and_then(|request| self.cors.preflight(request)) {
            Some(preflight) if is_over_limit => (preflight.close_connection(), None),
            Some(preflight) => (preflight, None),
            None => outcome(Err(overload.into())),
        };
        if let Some(request) = request {
            response.add_shared(self.cors.fields(request.headers()));
        }
        self.api.request_metrics.begin("", "").end(&mut response, code);
        response
    }

    fn upgrades(&self, path: &str) -> bool {
        path.ends_with("/v1/probe/upgrade")
    }
}

impl<P> Dispatch<P> {
    /// A refusal or the running operation, or `None` if the path is not the API's.
    fn answer(&self, request: &Request, path: &str) -> Option<Result<ResponseFuture, Problem>> {
        match self.hosts.check(request, &self.api.proxies) {
            Ok(()) => self.operation(request, path).or_else(|| {
                let address = self.api.client_address(request);
                self.api.rates.pages.check(address).err().map(Err)
            }),
            Err(problem) => Some(Err(problem)),
        }
    }

    /// The running operation, or `None` if the path is not the API's.
    fn operation(&self, request: &Request, path: &str) -> Option<Result<ResponseFuture, Problem>> {
        if let Some(response) = self.cors.preflight(request) {
            return Some(Ok(Box::pin(std::future::ready(Ok(response)))));
        }
        if path == "*" && request.method() == "OPTIONS" {
            return Some(Ok(Box::pin(std::future::ready(Ok(Response::no_content(WHOLE_SERVER))))));
        }
        if path == self.base_path.as_str()
            && let Some(location) = self.base_path.trailing_slash_redirect(path, request.query())
        {
            return Some(Ok(Box::pin(std::future::ready(Ok(redirect(location))))));
        }
        let path = self.base_path.strip(path);
        match self.router.route(request.method(), path) {
            Routed::Operation { handler, params, .. } => {
                // Before rate limits are charged.
                let may_call = cross_origin::check(request, path, &self.cors, &self.api.proxies);
                Some(may_call.and_then(|()| handler(&Call { api: &self.api, request, params })))
            }
            Routed::MethodNotAllowed(allow) => {
                let hint = if COLLAPSED_PATHS.contains(&path) { DOT_SEGMENT_HINT } else { "" };
                Some(Err(Problem::method_not_allowed(request.method(), allow, hint)))
            }
            Routed::NotFound => None,
        }
    }
}

/// The paths to join, post and call in a room named `.`, as URL parsers collapse them. They are also valid paths of rooms named
/// `peers` and so on, with other methods.
const COLLAPSED_PATHS: [&str; 4] = ["/v1/rooms/peers", "/v1/rooms/messages", "/v1/rooms/whip", "/v1/rooms/whep"];

/// The response to `OPTIONS *` (RFC 9110 section 9.3.7).
const WHOLE_SERVER: SharedFields = &[("allow", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"), ("cache-control", NO_STORE)];

fn redirect(location: String) -> Response {
    let mut response = Response::text(StatusCode::PERMANENT_REDIRECT, &[("cache-control", NO_STORE)], "");
    response.add("location", location);
    response
}

fn outcome(result: Result<Response, Problem>) -> (Response, Option<Code>) {
    match result {
        Ok(response) => (response, None),
        Err(problem) => (Response::from(&problem), Some(problem.code)),
    }
}

fn page_outcome<B: MessageBody + 'static>(result: Result<ServiceResponse<B>, Error>) -> (Response, Option<Code>) {
    let response: HttpResponse = match result {
        Ok(response) => response.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    };
    let code = response.extensions().get::<Code>().copied();
    (Response::from_actix(response), code)
}

impl From<Overload> for Problem {
    fn from(overload: Overload) -> Self {
        use std::time::Duration;
        match overload {
            Overload::Connections => {
                let detail = "The server has reached its connection limit.";
                Self::new(Code::TooManyConnections, detail).retry_after(Duration::from_secs(2))
            }
            Overload::Requests(count) => {
                let detail = format!("This connection has {count} requests in flight already.");
                Self::new(Code::RateLimited, detail).retry_after(Duration::from_secs(1))
            }
            Overload::HeaderFields(limit) => {
                let detail = format!("The request has more than {limit} header fields, or more than 16 KiB of them.");
                Self::new(Code::HeadersTooLarge, detail)
            }
            Overload::Memory => Self::memory_exhausted(),
            Overload::Body => Self::new(Code::MalformedRequest, "A poll must not have a body."),
        }
    }
}
