//! Accepts connections and finds out which protocol is spoken on them.
//!
//! Put together from actix's parts, as `HttpServer` does it, but with our own stream directly around the socket (see
//! [`guarded_stream`](crate::transport::limits::guarded_stream)), which `HttpServer` has no place for.

use std::{convert::Infallible, future::Future, io, net::TcpListener, rc::Rc, sync::Arc, time::Duration};

use actix_server::{GracefulShutdownSignal, ServerBuilder};
use actix_service::{Service as ActixService, ServiceFactory, fn_factory, fn_service};
use actix_tls::accept::{
    TlsError, max_concurrent_tls_connect,
    rustls_0_23::{Acceptor, TlsStream},
};
use actix_web::rt::net::TcpStream;
use futures_util::future::LocalBoxFuture;
use rustls::ServerConfig;

use crate::transport::{
    Service,
    http1::{Http1, Worker},
    http2::{self, Inspected},
    limits::{guarded_stream::GuardedStream, registry::ConnectionRegistry},
    run_next::RunNext,
};

#[derive(Clone)]
pub struct Protocols {
    pub connections: Arc<ConnectionRegistry>,
    pub keep_alive: Duration,
    pub stopping: GracefulShutdownSignal,
    pub tls: Option<ServerConfig>,
}

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

impl Protocols {
    /// Serves on a listener. Each worker thread makes a service of its own.
    pub fn listen<S, M, F>(self, builder: ServerBuilder, listener: TcpListener, make: M) -> io::Result<ServerBuilder>
    where
        S: Service,
        M: Fn() -> F + Send + Clone + 'static,
        F: Future<Output = Result<S, ()>> + 'static,
    {
        // Our own limits say so; actix's let clients hang.
        max_concurrent_tls_connect(usize::MAX >> 8);
        let builder = builder.max_concurrent_connections(usize::MAX >> 8);
        let Some(mut config) = self.tls.clone() else {
            return builder.listen("http", listener, move || {
                let (make, protocols) = (make.clone(), self.clone());
                fn_factory(move || {
                    let (service, protocols) = (make(), protocols.clone());
                    async move {
                        let worker = Worker::new(Rc::new(service.await?), protocols.connections);
                        Ok::<_, ()>(fn_service(unencrypted(Rc::new(worker))))
                    }
                })
            });
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        builder.listen("https", listener, move || {
            let (make, protocols, config) = (make.clone(), self.clone(), config.clone());
            fn_factory(move || {
                let (service, protocols, config) = (make(), protocols.clone(), config.clone());
                async move {
                    let Self { connections, keep_alive, stopping, .. } = protocols;
                    let service = Rc::new(service.await?);
                    let http_2 = http2::connections(service.clone(), connections.clone(), keep_alive, stopping).await?;
                    let worker = Worker::new(service, connections);
                    let mut acceptor = Acceptor::new(config);
                    acceptor.set_handshake_timeout(HANDSHAKE_TIMEOUT);
                    let acceptor = ServiceFactory::<GuardedStream>::new_service(&acceptor, ()).await?;
                    Ok::<_, ()>(fn_service(encrypted(Rc::new(worker), acceptor, http_2)))
                }
            })
        })
    }
}

/// Connections without TLS.
fn unencrypted<S: Service>(
    worker: Rc<Worker<S>>,
) -> impl Fn(TcpStream) -> LocalBoxFuture<'static, io::Result<()>> + Clone + use<S> {
    move |stream| {
        let worker = worker.clone();
        Box::pin(RunNext::new(async move {
            let watched = GuardedStream::accept(stream, worker.connections())?;
            let (peer, connection) = (watched.peer(), watched.connection().clone());
            Http1::new(watched, peer, connection, worker).run().await;
            Ok(())
        }))
    }
}

/// Connections with TLS, over which either protocol is spoken.
fn encrypted<S, A, H>(
    worker: Rc<Worker<S>>,
    acceptor: A,
    http_2: H,
) -> impl Fn(TcpStream) -> LocalBoxFuture<'static, io::Result<()>> + Clone + use<S, A, H>
where
    S: Service,
    A: ActixService<GuardedStream, Response = TlsStream<GuardedStream>, Error = TlsError<io::Error, Infallible>>
        + 'static,
    H: ActixService<(Inspected, Option<std::net::SocketAddr>), Response = ()> + 'static,
{
    let parts = Rc::new((acceptor, http_2));
    move |stream| {
        let (worker, parts) = (worker.clone(), parts.clone());
        Box::pin(RunNext::new(async move {
            let watched = GuardedStream::accept(stream, worker.connections())?.under_tls();
            let (peer, connection) = (watched.peer(), watched.connection().clone());
            // In boxes, lest each connection is as large as the largest of what it may be doing.
            let Ok(stream) = Box::pin(parts.0.call(watched)).await else { return Ok(()) };
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                connection.set_http_2();
                let _ = Box::pin(parts.1.call((http2::inspected(stream), Some(peer)))).await;
            } else {
                Http1::new(stream, peer, connection, worker).run().await;
            }
            Ok(())
        }))
    }
}
