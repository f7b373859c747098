//! HTTP/2, which actix-http speaks: its streams become requests, and responses are sent on them.
//!
//! Here is only the adapter ([`connections`]) and what actix-http leaves open: bounds on blocks of header fields
//! ([`header_block_guard`]), responses in small pieces ([`response_body`]), and clients that reset a stream
//! ([`client_gone`]).

pub mod client_gone;
pub mod header_block_guard;
pub mod response_body;

use std::{net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use actix_http::{HttpService, Request as DecodedRequest, Response as ActixResponse};
use actix_server::GracefulShutdownSignal;
use actix_service::{Service as ActixService, ServiceFactory, fn_service};
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::http::StatusCode;
use client_gone::{Abandoned, while_there};
use header_block_guard::Frames;
use response_body::ResponseBody;
use tokio_util::io::InspectReader;

use crate::transport::{
    Overload, Request, Response, Service,
    limits::{connection::Connection, guarded_stream::GuardedStream, registry::ConnectionRegistry},
};

/// How long a connection may take over its end.
const GOODBYE: Duration = Duration::from_secs(1);
/// What a client may send on a connection before it is asked for: it waits in our memory.
const WINDOW: u32 = 65_535;

/// What has been decrypted, inspected on its way to the parser.
pub type Inspected = InspectReader<TlsStream<GuardedStream>, Box<dyn FnMut(&[u8])>>;

/// Serves connections on which HTTP/2 was agreed.
pub async fn connections<S: Service>(
    service: Rc<S>,
    connections: Arc<ConnectionRegistry>,
    keep_alive: Duration,
    stopping: GracefulShutdownSignal,
) -> Result<impl ActixService<(Inspected, Option<SocketAddr>), Response = ()> + use<S>, ()> {
    HttpService::build()
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .keep_alive(keep_alive)
        .client_disconnect_timeout(GOODBYE)
        .h2_initial_window_size(WINDOW)
        .h2_initial_connection_window_size(WINDOW)
        .on_connect_ext(|stream: &Inspected, data| {
            data.insert::<(Arc<Connection>, SocketAddr)>((
                under_tls(stream).connection().clone(),
                under_tls(stream).peer(),
            ));
        })
        .h2(fn_service(move |request: DecodedRequest| answer(service.clone(), connections.clone(), request)))
        .new_service(())
        .await
}

async fn answer<S: Service>(
    service: Rc<S>,
    connections: Arc<ConnectionRegistry>,
    request: DecodedRequest,
) -> Result<ActixResponse<ResponseBody>, actix_web::Error> {
    let Some((connection, peer)) = request.conn_data::<(Arc<Connection>, SocketAddr)>().cloned() else {
        return Ok(
            ActixResponse::new(StatusCode::INTERNAL_SERVER_ERROR).map_body(|_, body| ResponseBody::new(body, None))
        );
    };
    let mut request = Request::decoded(request, peer, connection);
    let mut in_flight = connections.begin(&mut request);
    let mut response = match &in_flight {
        Ok(_) => respond(&*service, request).await,
        Err(overload) => service.refuse(*overload),
    };
    if in_flight.as_mut().is_ok_and(|in_flight| !in_flight.response_ready(response.body_len())) {
        response = service.refuse(Overload::Memory);
    }
    let in_flight = in_flight.ok();
    Ok(response.into_actix().map_body(|_, body| ResponseBody::new(body, in_flight)))
}

/// Has a request answered, for as long as its client is there, if that can be told.
async fn respond<S: Service>(service: &S, request: Request) -> Response {
    let may_have_body = !matches!(request.method(), "GET" | "HEAD");
    if may_have_body {
        return service.call(request).await;
    }
    let body = request.take_body().into_payload();
    match while_there(body, service.call(request)).await {
        Ok(response) => response,
        Err(Abandoned::Refused(overload)) => service.refuse(overload),
        // Nobody will read it.
        Err(Abandoned::Gone) => Response::no_content(&[]),
    }
}

/// Inspects what is decrypted.
pub fn inspected(stream: TlsStream<GuardedStream>) -> Inspected {
    let connection = stream.get_ref().0.connection().clone();
    let mut frames = Frames::awaiting_preface();
    let look = move |bytes: &[u8]| {
        if frames.look(bytes) {
            connection.set_frame_position(frames.end(), frames.passed());
        } else {
            connection.end();
        }
    };
    InspectReader::new(stream, Box::new(look))
}

fn under_tls(stream: &Inspected) -> &GuardedStream {
    stream.get_ref().get_ref().0
}
