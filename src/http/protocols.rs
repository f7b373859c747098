//! From a socket to requests: TLS, HTTP/1 and HTTP/2.
//!
//! Put together from actix's parts, as `HttpServer` does it, but with our own stream directly around the socket (see
//! `watched`), which `HttpServer` has no place for.

use std::{
    fmt,
    future::{Ready, ready},
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_http::{HttpService, Protocol, Request, Response, error::DispatchError};
use actix_server::{GracefulShutdownSignal, ServerBuilder};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service};
use actix_tls::accept::{
    TlsError, max_concurrent_tls_connect,
    rustls_0_23::{Acceptor, TlsStream},
};
use actix_web::{Error, body::MessageBody, dev::Service, rt::net::TcpStream};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::InspectReader;

use super::{Connections, connection::Connection, frames::Frames, watched::Watched};

#[derive(Clone)]
pub struct Protocols {
    pub connections: Arc<Connections>,
    pub keep_alive: Duration,
    pub stopping: GracefulShutdownSignal,
    pub tls: Option<ServerConfig>,
}

const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long what is left of a refused body is thrown away, so that the refusal is heard.
const LINGER: Duration = Duration::from_secs(1);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// What a client may send on an HTTP/2 connection before it is asked for: it waits in our memory.
const WINDOW: u32 = 65_535;
/// What is written at once.
const WRITE_BYTES: usize = 16 * 1024;

impl Protocols {
    /// Serves the application on a listener.
    pub fn listen<F, I, S, B>(self, builder: ServerBuilder, listener: TcpListener, app: F) -> io::Result<ServerBuilder>
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = (), Response = Response<B>, Error = Error> + 'static,
        S::InitError: fmt::Debug,
        S::Service: 'static,
        <S::Service as Service<Request>>::Future: 'static,
        B: MessageBody + 'static,
    {
        // Our own limits say so; actix's let clients hang.
        max_concurrent_tls_connect(usize::MAX >> 8);
        let builder = builder.max_concurrent_connections(usize::MAX >> 8);
        let connections = self.connections.clone();
        let accept = move |stream: TcpStream| ready(connections.accept(stream));
        let Some(mut config) = self.tls.clone() else {
            return builder.listen("http", listener, move || {
                fn_service(accept.clone())
                    .map_err(DispatchError::Io)
                    .and_then(|stream: Watched| known(Protocol::Http1, stream, |stream| stream))
                    .and_then(self.http(&app, |stream: &Watched| stream))
            });
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        builder.listen("https", listener, move || {
            let mut acceptor = Acceptor::new(config.clone());
            acceptor.set_handshake_timeout(HANDSHAKE_TIMEOUT);
            fn_service(accept.clone())
                .map_err(TlsError::Tls)
                .and_then(acceptor.map_err(TlsError::into_service_error))
                .and_then(|stream: TlsStream<Watched>| {
                    let http_2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    let protocol = if http_2 { Protocol::Http2 } else { Protocol::Http1 };
                    known(protocol, inspected(stream, http_2), under_tls)
                })
                .and_then(self.http(&app, under_tls).map_err(TlsError::Service))
        })
    }

    fn http<F, I, S, B, T>(
        &self,
        app: &F,
        inner: fn(&T) -> &Watched,
    ) -> impl ServiceFactory<Connected<T>, Config = (), Response = (), Error = DispatchError, InitError = ()>
    + use<F, I, S, B, T>
    where
        F: Fn() -> I,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = (), Response = Response<B>, Error = Error> + 'static,
        S::InitError: fmt::Debug,
        S::Service: 'static,
        <S::Service as Service<Request>>::Future: 'static,
        B: MessageBody + 'static,
        T: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let stopping = self.stopping.clone();
        HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(self.keep_alive)
            .client_request_timeout(HEAD_TIMEOUT)
            .client_disconnect_timeout(LINGER)
            // A client that has gone ends its poll at once (tests/it/chaos.rs).
            .h1_allow_half_closed(false)
            .h1_write_buffer_size(WRITE_BYTES)
            .h2_initial_window_size(WINDOW)
            .h2_initial_connection_window_size(WINDOW)
            .on_connect_ext(move |stream: &T, data| {
                data.insert::<Arc<Connection>>(inner(stream).connection().clone());
            })
            .finish(app().into_factory().map_err(|error: Error| {
                let answer: Response<_> = error.error_response().into();
                answer
            }))
    }
}

/// What has been decrypted, looked at on its way.
type Inspected = InspectReader<TlsStream<Watched>, Box<dyn FnMut(&[u8])>>;

fn inspected(stream: TlsStream<Watched>, http_2: bool) -> Inspected {
    let connection = stream.get_ref().0.connection().clone();
    let mut frames = Frames::new();
    let look = move |bytes: &[u8]| {
        if !frames.look(bytes) {
            connection.end();
        }
    };
    InspectReader::new(stream, if http_2 { Box::new(look) } else { Box::new(|_| {}) })
}

fn under_tls(stream: &Inspected) -> &Watched {
    stream.get_ref().get_ref().0
}

/// What actix takes for a connection.
type Connected<T> = (T, Protocol, Option<SocketAddr>);

fn known<T, E>(protocol: Protocol, stream: T, inner: fn(&T) -> &Watched) -> Ready<Result<Connected<T>, E>> {
    let peer = inner(&stream).peer();
    if protocol == Protocol::Http2 {
        inner(&stream).connection().speaks_http_2();
    }
    ready(Ok((stream, protocol, Some(peer))))
}
