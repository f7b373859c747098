//! From a socket to requests: TLS, HTTP/1 and HTTP/2.
//!
//! Put together from actix's parts, as `HttpServer` does it, but with our own stream directly around the socket (see
//! `watched`), which `HttpServer` has no place for.

use std::{convert::Infallible, fmt, io, net::TcpListener, rc::Rc, sync::Arc, time::Duration};

use actix_http::{HttpService, Request};
use actix_server::{GracefulShutdownSignal, ServerBuilder};
use actix_service::{IntoServiceFactory, ServiceFactory, fn_factory, fn_service};
use actix_tls::accept::{
    TlsError, max_concurrent_tls_connect,
    rustls_0_23::{Acceptor, TlsStream},
};
use actix_web::{Error, body::MessageBody, dev::Service, rt::net::TcpStream};
use futures_util::{TryFutureExt, future::LocalBoxFuture};
use rustls::ServerConfig;
use tokio_util::io::InspectReader;

use crate::{
    api::base_path::BasePath,
    transport::{
        http1::{Http1, Worker},
        http2::header_block_guard::Frames,
        limits::{connection::Connection, guarded_stream::Watched, registry::Connections},
        request::{Answered, Received},
        run_next::Prompt,
    },
};

#[derive(Clone)]
pub struct Protocols {
    pub connections: Arc<Connections>,
    pub keep_alive: Duration,
    pub stopping: GracefulShutdownSignal,
    pub tls: Option<ServerConfig>,
    /// Requests that calls consist of are read in place below this path, where that is possible.
    pub plain_under: Option<BasePath>,
}

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an HTTP/2 connection may take over its end.
const GOODBYE: Duration = Duration::from_secs(1);
/// What a client may send on an HTTP/2 connection before it is asked for: it waits in our memory.
const WINDOW: u32 = 65_535;

impl Protocols {
    /// Serves the application on a listener.
    pub fn listen<F, I, S, B>(self, builder: ServerBuilder, listener: TcpListener, app: F) -> io::Result<ServerBuilder>
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Received>,
        S: ServiceFactory<Received, Config = (), Response = Answered<B>, Error = Error> + 'static,
        S::InitError: fmt::Debug,
        S::Service: 'static,
        <S::Service as Service<Received>>::Future: 'static,
        B: MessageBody + 'static,
    {
        // Our own limits say so; actix's let clients hang.
        max_concurrent_tls_connect(usize::MAX >> 8);
        let builder = builder.max_concurrent_connections(usize::MAX >> 8);
        let Some(mut config) = self.tls.clone() else {
            return builder.listen("http", listener, move || {
                let (app, protocols) = (app().into_factory(), self.clone());
                fn_factory(move || {
                    let (app, protocols) = (app.new_service(()), protocols.clone());
                    async move {
                        let worker =
                            Worker::new(app.await.map_err(drop)?, protocols.connections, protocols.plain_under);
                        Ok::<_, ()>(fn_service(unencrypted(Rc::new(worker))))
                    }
                })
            });
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        builder.listen("https", listener, move || {
            let (app, protocols, config) = (app().into_factory(), self.clone(), config.clone());
            fn_factory(move || {
                let (app, protocols, config) = (app.new_service(()), protocols.clone(), config.clone());
                async move {
                    let app = Rc::new(app.await.map_err(drop)?);
                    let http_2 = protocols.http_2(app.clone()).await?;
                    let worker = Worker::new(app, protocols.connections, protocols.plain_under);
                    let mut acceptor = Acceptor::new(config);
                    acceptor.set_handshake_timeout(HANDSHAKE_TIMEOUT);
                    let acceptor = ServiceFactory::<Watched>::new_service(&acceptor, ()).await?;
                    Ok::<_, ()>(fn_service(encrypted(Rc::new(worker), acceptor, http_2)))
                }
            })
        })
    }

    /// HTTP/2, by actix.
    async fn http_2<S, B>(
        &self,
        app: Rc<S>,
    ) -> Result<impl Service<(Inspected, Option<std::net::SocketAddr>), Response = ()> + use<S, B>, ()>
    where
        S: Service<Received, Response = Answered<B>, Error = Error> + 'static,
        S::Future: 'static,
        B: MessageBody + 'static,
    {
        let stopping = self.stopping.clone();
        HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(self.keep_alive)
            .client_disconnect_timeout(GOODBYE)
            .h2_initial_window_size(WINDOW)
            .h2_initial_connection_window_size(WINDOW)
            .on_connect_ext(|stream: &Inspected, data| {
                data.insert::<Arc<Connection>>(under_tls(stream).connection().clone());
            })
            .h2(fn_service(move |request: Request| {
                let connection = request.conn_data::<Arc<Connection>>().cloned();
                app.call(Received::Any { request, connection }).map_ok(Answered::into_response)
            }))
            .new_service(())
            .await
    }
}

/// Connections without TLS.
fn unencrypted<S, B>(
    worker: Rc<Worker<S>>,
) -> impl Fn(TcpStream) -> LocalBoxFuture<'static, io::Result<()>> + Clone + use<S, B>
where
    S: Service<Received, Response = Answered<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    move |stream| {
        let worker = worker.clone();
        Box::pin(Prompt::new(async move {
            let watched = worker.connections().accept(stream)?;
            let (peer, connection) = (watched.peer(), watched.connection().clone());
            Http1::new(watched, peer, connection, worker).run().await;
            Ok(())
        }))
    }
}

/// Connections with TLS, over which either protocol is spoken.
fn encrypted<S, B, A, H>(
    worker: Rc<Worker<S>>,
    acceptor: A,
    http_2: H,
) -> impl Fn(TcpStream) -> LocalBoxFuture<'static, io::Result<()>> + Clone + use<S, B, A, H>
where
    S: Service<Received, Response = Answered<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
    A: Service<Watched, Response = TlsStream<Watched>, Error = TlsError<io::Error, Infallible>> + 'static,
    H: Service<(Inspected, Option<std::net::SocketAddr>), Response = ()> + 'static,
{
    let parts = Rc::new((acceptor, http_2));
    move |stream| {
        let (worker, parts) = (worker.clone(), parts.clone());
        Box::pin(Prompt::new(async move {
            let watched = worker.connections().accept(stream)?.under_tls();
            let (peer, connection) = (watched.peer(), watched.connection().clone());
            // In boxes, lest each connection is as large as the largest of what it may be doing.
            let Ok(stream) = Box::pin(parts.0.call(watched)).await else { return Ok(()) };
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                connection.speaks_http_2();
                let _ = Box::pin(parts.1.call((inspected(stream), Some(peer)))).await;
            } else {
                Http1::new(stream, peer, connection, worker).run().await;
            }
            Ok(())
        }))
    }
}

/// What has been decrypted, looked at on its way.
type Inspected = InspectReader<TlsStream<Watched>, Box<dyn FnMut(&[u8])>>;

fn inspected(stream: TlsStream<Watched>) -> Inspected {
    let connection = stream.get_ref().0.connection().clone();
    let mut frames = Frames::new();
    let look = move |bytes: &[u8]| {
        if frames.look(bytes) {
            connection.came_to(frames.end(), frames.passed());
        } else {
            connection.end();
        }
    };
    InspectReader::new(stream, Box::new(look))
}

fn under_tls(stream: &Inspected) -> &Watched {
    stream.get_ref().get_ref().0
}
