//! Accepts connections and serves the protocol each of them speaks.
//!
//! Assembled from actix's parts like `HttpServer`, which has no place for a stream of our own directly around the socket
//! ([`guarded_stream`](crate::transport::limits::guarded_stream)).

use std::{future::Future, io, net::TcpListener, rc::Rc, sync::Arc, time::Duration};

use actix_server::ServerBuilder;
use actix_service::{fn_factory, fn_service};
use actix_web::rt::net::TcpStream;
use futures_util::future::LocalBoxFuture;
use rustls::ServerConfig;

use crate::transport::{
    Service,
    http1::Http1,
    http2::Http2,
    limits::{guarded_stream::GuardedStream, registry::ConnectionRegistry},
    other_protocol::Others,
    run_next::RunNext,
    tls::TlsStream,
    worker::Worker,
};

/// How connections on a listener are served.
#[derive(Clone)]
pub struct Protocols {
    pub connections: Arc<ConnectionRegistry>,
    pub tls: Option<ServerConfig>,
    pub others: Others,
}

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
const HTTP_2: &[u8] = b"h2";
/// RFC 7443. Browsers name nothing for it, so what a connection speaks is decided by its first byte.
const TURN: [&[u8]; 2] = [b"stun.turn", b"stun.nat-discovery"];

impl Protocols {
    /// Serves a listener. Each worker thread makes a service of its own.
    pub fn listen<S, M, F>(self, builder: ServerBuilder, listener: TcpListener, make: M) -> io::Result<ServerBuilder>
    where
        S: Service,
        M: Fn() -> F + Send + Clone + 'static,
        F: Future<Output = Result<S, ()>> + 'static,
    {
        let Self { connections, tls, others } = self;
        // The registry refuses connections; at actix's limit, clients would hang.
        let builder = builder.max_concurrent_connections(usize::MAX >> 8);
        let tls = tls.map(|mut tls| {
            // Preferred, because some clients of TURN name http/1.1, too.
            let turn = others.iter().flat_map(|_| TURN).map(<[u8]>::to_vec);
            tls.alpn_protocols = turn.chain([HTTP_2.to_vec(), b"http/1.1".to_vec()]).collect();
            Arc::new(tls)
        });
        builder.listen("http", listener, move || {
            let (make, connections, tls, others) = (make.clone(), connections.clone(), tls.clone(), others.clone());
            fn_factory(move || {
                let (service, connections, tls, others) = (make(), connections.clone(), tls.clone(), others.clone());
                async move {
                    let worker = Rc::new(Worker::new(Rc::new(service.await?), connections, others));
                    Ok::<_, ()>(fn_service(move |stream| match &tls {
                        Some(tls) => RunNext::new(serve_encrypted(stream, worker.clone(), tls.clone())),
                        None => RunNext::new(serve_unencrypted(stream, worker.clone())),
                    }))
                }
            })
        })
    }
}

async fn serve_unencrypted<S: Service>(stream: TcpStream, worker: Rc<Worker<S>>) -> io::Result<()> {
    let stream = GuardedStream::accept(stream, &worker.connections, false)?;
    let (peer, connection) = (stream.peer(), stream.connection().clone());
    Http1::new(stream, peer, connection, worker).run().await;
    Ok(())
}

async fn serve_encrypted<S: Service>(
    stream: TcpStream,
    worker: Rc<Worker<S>>,
    tls: Arc<ServerConfig>,
) -> io::Result<()> {
    let stream = GuardedStream::accept(stream, &worker.connections, true)?;
    let (peer, connection) = (stream.peer(), stream.connection().clone());
    // Boxed, or each connection would take the memory of the largest of these futures.
    let handshake = Box::pin(tokio::time::timeout(HANDSHAKE_TIMEOUT, begin(stream, worker.others.clone(), tls)));
    let stream = match handshake.await {
        Ok(Ok(Beginning::Tls(stream))) => stream,
        Ok(Ok(Beginning::Other(stream))) => {
            Box::pin(Http1::new(stream, peer, connection, worker).serve()).await;
            return Ok(());
        }
        _ => return Ok(()),
    };
    let serving: LocalBoxFuture<'_, ()> = if stream.alpn_protocol() == Some(HTTP_2) {
        Box::pin(Http2::new(stream, worker).run())
    } else {
        Box::pin(Http1::new(stream, peer, connection, worker).encrypted().serve())
    };
    serving.await;
    Ok(())
}

/// How a connection on a listener with TLS begins.
enum Beginning {
    Tls(TlsStream<GuardedStream>),
    /// With a protocol that may also do without TLS.
    Other(GuardedStream),
}

async fn begin(stream: GuardedStream, others: Others, tls: Arc<ServerConfig>) -> io::Result<Beginning> {
    if let Some(other) = others
        && stream.peek().await?.is_some_and(|first| other.recognizes(first))
    {
        return Ok(Beginning::Other(stream));
    }
    TlsStream::accept(stream, tls).await.map(Beginning::Tls)
}
