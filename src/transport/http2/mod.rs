//! HTTP/2, spoken by actix-http: its streams become requests, and responses are sent on them.
//!
//! Beside the adapter ([`connections`]), this supplies what actix-http lacks: bounds on header blocks
//! ([`header_block_guard`]) and on frames that serve no request ([`frame_budget`]), both in the stream that actix-http reads
//! ([`inspected`]); responses in small pieces ([`response_body`]), and an end to work for streams that were reset
//! ([`client_gone`]).

pub mod client_gone;
pub mod frame_budget;
pub mod header_block_guard;
pub mod inspected;
pub mod response_body;

use std::{net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use actix_http::{HttpService, Request as DecodedRequest, Response as ActixResponse};
use actix_server::GracefulShutdownSignal;
use actix_service::{Service as ActixService, ServiceFactory, fn_service};
use actix_web::{
    body::{self, BoxBody},
    dev::Payload,
    http::{Method, StatusCode},
};
use futures_util::StreamExt;
use inspected::Inspected;
use response_body::ResponseBody;

use crate::transport::{
    Overload, Request, Service,
    limits::{connection::Connection, registry::ConnectionRegistry},
};

/// How long closing a connection may take.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Body bytes that a client may send before they are read; they wait in our memory.
const WINDOW: u32 = 65_535;

/// Serves connections that negotiated HTTP/2.
pub async fn connections<S: Service>(
    service: Rc<S>,
    connections: Arc<ConnectionRegistry>,
    stopping: GracefulShutdownSignal,
) -> Result<impl ActixService<(Inspected, Option<SocketAddr>), Response = ()> + use<S>, ()> {
    HttpService::build()
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .keep_alive(connections.idle_limit())
        .client_disconnect_timeout(DISCONNECT_TIMEOUT)
        .h2_initial_window_size(WINDOW)
        .h2_initial_connection_window_size(WINDOW)
        .on_connect_ext(|stream: &Inspected, data| {
            let stream = stream.guarded();
            data.insert::<(Arc<Connection>, SocketAddr)>((stream.connection().clone(), stream.peer()));
        })
        .h2(fn_service(move |request: DecodedRequest| answer(service.clone(), connections.clone(), request)))
        .new_service(())
        .await
}

async fn answer<S: Service>(
    service: Rc<S>,
    connections: Arc<ConnectionRegistry>,
    mut request: DecodedRequest,
) -> Result<ActixResponse<ResponseBody>, actix_web::Error> {
    let Some((connection, peer)) = request.conn_data::<(Arc<Connection>, SocketAddr)>().cloned() else {
        return Ok(ActixResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
            .map_body(|_, body| ResponseBody::new(body, None, None)));
    };
    let may_have_body = !matches!(*request.method(), Method::GET | Method::HEAD);
    if may_have_body {
        pay_for_body(&mut request, connection.clone());
    }
    let mut request = Request::decoded(request, peer, connection.clone());
    let mut in_flight = connections.begin(&mut request);
    let mut response = match &in_flight {
        Ok(_) if may_have_body => service.call(request).await,
        Ok(_) => client_gone::respond(&*service, request).await,
        Err(overload) => service.refuse(*overload),
    };
    if in_flight.as_mut().is_ok_and(|in_flight| !in_flight.response_ready(response.body_len())) {
        response = service.refuse(Overload::Memory);
    }
    connection.earn(frame_budget::RESPONSE);
    let in_flight = in_flight.ok();
    Ok(response.into_actix().map_body(|head, body| {
        // actix-http would add `content-length: 0`, which is not the length of what has not changed (RFC 9110 section 8.6).
        let body = if head.status == StatusCode::NOT_MODIFIED { BoxBody::new(body::None::new()) } else { body };
        ResponseBody::new(body, in_flight, Some(connection))
    }))
}

/// Lets the connection earn something for each piece of the body that is read.
fn pay_for_body(request: &mut DecodedRequest, connection: Arc<Connection>) {
    let pieces = request.take_payload().inspect(move |piece| {
        if let Ok(piece) = piece {
            connection.earn(frame_budget::read_by_handler(piece.len()));
        }
    });
    *request.payload() = Payload::Stream { payload: Box::pin(pieces) };
}
