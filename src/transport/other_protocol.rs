//! Another protocol on the same port, recognized by the first byte of a connection.

use std::{net::SocketAddr, sync::Arc};

use actix_web::web::BytesMut;
use futures_util::future::LocalBoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection's socket, with or without TLS.
pub trait Io: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}

/// A connection that has begun with a byte that [`OtherProtocol`] recognizes.
pub struct AcceptedStream<'a> {
    pub io: &'a mut dyn Io,
    /// What has arrived so far.
    pub received: BytesMut,
    pub peer: SocketAddr,
    pub encrypted: bool,
}

/// Serves connections that are not HTTP. Over TLS the first byte is that of the plaintext.
pub trait OtherProtocol: Send + Sync {
    /// Whether a connection that begins so is of this protocol. No HTTP request begins with a control character.
    fn recognizes(&self, first: u8) -> bool;

    fn serve<'a>(&'a self, stream: AcceptedStream<'a>) -> LocalBoxFuture<'a, ()>;
}

/// The protocols besides HTTP that a listener serves.
pub type Others = Option<Arc<dyn OtherProtocol>>;
