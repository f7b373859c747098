//! Accepts connections and serves the protocol each of them speaks.
//!
//! Assembled from actix's parts like `HttpServer`, which has no place for a stream of our own directly around the socket
//! ([`guarded_stream`](crate::transport::limits::guarded_stream)).

use std::{
    convert::Infallible, future::Future, io, net::SocketAddr, net::TcpListener, rc::Rc, sync::Arc, time::Duration,
};

use actix_server::{GracefulShutdownSignal, ServerBuilder};
use actix_service::{Service as ActixService, ServiceFactory, fn_factory, fn_service};
use actix_tls::accept::{
    TlsError, max_concurrent_tls_connect,
    rustls_0_23::{Acceptor, TlsStream},
};
use actix_web::rt::net::TcpStream;
use rustls::ServerConfig;

use crate::transport::{
    Service,
    http1::{Http1, Worker},
    http2::{self, inspected::Inspected},
    limits::{guarded_stream::GuardedStream, registry::ConnectionRegistry},
    run_next::RunNext,
};

/// How connections on a listener are served.
#[derive(Clone)]
pub struct Protocols {
    pub connections: Arc<ConnectionRegistry>,
    pub stopping: GracefulShutdownSignal,
    pub tls: Option<ServerConfig>,
}

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

impl Protocols {
    /// Serves a listener. Each worker thread makes a service of its own.
    pub fn listen<S, M, F>(
        mut self,
        builder: ServerBuilder,
        listener: TcpListener,
        make: M,
    ) -> io::Result<ServerBuilder>
    where
        S: Service,
        M: Fn() -> F + Send + Clone + 'static,
        F: Future<Output = Result<S, ()>> + 'static,
    {
        // The registry refuses connections; at actix's limits, clients would hang.
        max_concurrent_tls_connect(usize::MAX >> 8);
        let builder = builder.max_concurrent_connections(usize::MAX >> 8);
        if let Some(tls) = &mut self.tls {
            tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        builder.listen("http", listener, move || {
            let (make, protocols) = (make.clone(), self.clone());
            fn_factory(move || {
                let (service, protocols) = (make(), protocols.clone());
                async move {
                    let Self { connections, stopping, tls } = protocols;
                    let service = Rc::new(service.await?);
                    let encrypted = match tls {
                        Some(config) => {
                            let mut acceptor = Acceptor::new(config);
                            acceptor.set_handshake_timeout(HANDSHAKE_TIMEOUT);
                            let tls = ServiceFactory::<GuardedStream>::new_service(&acceptor, ()).await?;
                            let http_2 = http2::connections(service.clone(), connections.clone(), stopping).await?;
                            Some(Rc::new(Encrypted { tls, http_2 }))
                        }
                        None => None,
                    };
                    let worker = Rc::new(Worker::new(service, connections));
                    Ok::<_, ()>(fn_service(move |stream| match &encrypted {
                        Some(encrypted) => RunNext::new(serve_encrypted(stream, worker.clone(), encrypted.clone())),
                        None => RunNext::new(serve_unencrypted(stream, worker.clone())),
                    }))
                }
            })
        })
    }
}

struct Encrypted<T, H> {
    tls: T,
    http_2: H,
}

async fn serve_unencrypted<S: Service>(stream: TcpStream, worker: Rc<Worker<S>>) -> io::Result<()> {
    let stream = GuardedStream::accept(stream, worker.connections(), false)?;
    let (peer, connection) = (stream.peer(), stream.connection().clone());
    Http1::new(stream, peer, connection, worker).run().await;
    Ok(())
}

async fn serve_encrypted<S, T, H>(
    stream: TcpStream,
    worker: Rc<Worker<S>>,
    encrypted: Rc<Encrypted<T, H>>,
) -> io::Result<()>
where
    S: Service,
    T: ActixService<GuardedStream, Response = TlsStream<GuardedStream>, Error = TlsError<io::Error, Infallible>>,
    H: ActixService<(Inspected, Option<SocketAddr>), Response = ()>,
{
    let stream = GuardedStream::accept(stream, worker.connections(), true)?;
    let (peer, connection) = (stream.peer(), stream.connection().clone());
    // Boxed, or each connection would take the memory of the largest of these futures.
    let Ok(stream) = Box::pin(encrypted.tls.call(stream)).await else { return Ok(()) };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        connection.set_http_2();
        let _ = Box::pin(encrypted.http_2.call((Inspected::new(stream), Some(peer)))).await;
    } else {
        Http1::new(stream, peer, connection, worker).run().await;
    }
    Ok(())
}
