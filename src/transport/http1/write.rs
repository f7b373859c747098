//! Writing responses, and closing the connection.

use std::{
    future::poll_fn,
    mem,
    pin::Pin,
    task::{Poll, ready},
    time::Duration,
};

use actix_http::{ConnectionType, Response as ActixResponse, h1::Message};
use actix_web::{
    body::{BodySize, MessageBody},
    http::StatusCode,
    web::{Bytes, BytesMut},
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_util::codec::Encoder;

use crate::transport::{
    Response, Service,
    buffer_pool::WRITE_BYTES,
    http1::{Disconnected, Http1},
};

/// How long input is discarded after the last response, so that the client receives it.
const LINGER: Duration = Duration::from_secs(1);

impl<T: AsyncRead + AsyncWrite + Unpin, S: Service> Http1<T, S> {
    /// Answers a request that was parsed in place; whether another may follow.
    pub(super) async fn send_text(&mut self, response: &Response, body: &str) -> Result<bool, Disconnected> {
        let ends = self.worker.connections.is_draining() || response.closes_connection();
        let mut out = self.worker.buffers.take();
        write_head(response, body.len(), ends, &mut out);
        self.worker.write_date(&mut out);
        out.extend_from_slice(b"\r\n");
        let sent = self.write_head_and_body(&mut out, body.as_bytes()).await;
        self.worker.buffers.put_back(out);
        sent.map(|()| !ends)
    }

    /// Writes head and body, in one piece if they are short.
    async fn write_head_and_body(&mut self, out: &mut BytesMut, body: &[u8]) -> Result<(), Disconnected> {
        if out.len() + body.len() <= WRITE_BYTES {
            out.extend_from_slice(body);
            return self.write(out).await;
        }
        self.io.write_all(out).await?;
        self.io.write_all(body).await?;
        Ok(self.io.flush().await?)
    }

    /// Sends a response by the codec.
    pub(super) async fn send<B: MessageBody>(
        &mut self,
        mut head: ActixResponse<()>,
        body: Pin<&mut B>,
    ) -> Result<(), Disconnected> {
        self.set_connection_close(&mut head);
        let mut out = self.worker.buffers.take();
        out.extend_from_slice(mem::take(&mut self.unsent_interim));
        self.codec.encode(Message::Item((head, body.size())), &mut out)?;
        let sent = self.encode_and_write(&mut out, body).await;
        self.worker.buffers.put_back(out);
        sent
    }

    async fn encode_and_write<B: MessageBody>(
        &mut self,
        out: &mut BytesMut,
        mut body: Pin<&mut B>,
    ) -> Result<(), Disconnected> {
        if matches!(body.size(), BodySize::None | BodySize::Sized(0)) {
            return self.write(out).await;
        }
        loop {
            let piece = match poll_fn(|context| Poll::Ready(body.as_mut().poll_next(context))).await {
                Poll::Ready(piece) => piece,
                Poll::Pending => {
                    self.write(out).await?;
                    self.next_chunk(body.as_mut()).await?
                }
            };
            let piece = piece.transpose().map_err(|_| Disconnected)?;
            let ended = piece.is_none();
            self.codec.encode(Message::Chunk(piece), out)?;
            if ended {
                return self.write(out).await;
            }
            if out.len() >= WRITE_BYTES {
                self.write(out).await?;
            }
        }
    }

    /// Waits for the next chunk of a response.
    async fn next_chunk<B: MessageBody>(
        &mut self,
        mut body: Pin<&mut B>,
    ) -> Result<Option<Result<Bytes, B::Error>>, Disconnected> {
        poll_fn(|context| {
            loop {
                if let Poll::Ready(piece) = body.as_mut().poll_next(context) {
                    return Poll::Ready(Ok(piece));
                }
                if ready!(self.poll_input(context)).is_err() {
                    return Poll::Ready(Err(Disconnected));
                }
            }
        })
        .await
    }

    async fn write(&mut self, out: &mut BytesMut) -> Result<(), Disconnected> {
        self.io.write_all(out).await?;
        self.io.flush().await?;
        out.clear();
        Ok(())
    }

    /// Closes the connection after the last response. Input is discarded for a while: closing while it arrives resets the
    /// connection, and the client may lose the response (RFC 9112 section 9.6).
    pub(super) async fn close(&mut self) {
        if self.has_consumed_request() {
            return self.shutdown().await;
        }
        self.body = None;
        let lingering = async {
            self.shutdown().await;
            loop {
                self.read_buf.clear();
                match poll_fn(|context| self.poll_read(context)).await {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {}
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, lingering).await;
    }

    pub(super) async fn shutdown(&mut self) {
        let _ = tokio::time::timeout(LINGER, self.io.shutdown()).await;
    }

    pub(super) fn has_consumed_request(&self) -> bool {
        self.body.is_none() && !self.broken
    }

    fn set_connection_close(&mut self, head: &mut ActixResponse<()>) {
        let ends = self.worker.connections.is_draining() || !self.has_consumed_request();
        if ends && !head.upgrade() {
            head.head_mut().set_connection_type(ConnectionType::Close);
        }
    }
}

/// Writes the head of a response except its date (RFC 9112 sections 4 and 5).
fn write_head(response: &Response, length: usize, ends: bool, out: &mut BytesMut) {
    let mut put = |text: &str| out.extend_from_slice(text.as_bytes());
    put("HTTP/1.1 ");
    put(response.status().as_str());
    put(" ");
    put(response.status().canonical_reason().unwrap_or_default());
    if response.status() != StatusCode::NO_CONTENT {
        put("\r\ncontent-length: ");
        put(itoa::Buffer::new().format(length));
    }
    if ends {
        put("\r\nconnection: close");
    }
    response.fields().for_each(|(name, value)| {
        put("\r\n");
        put(name);
        put(": ");
        put(value);
    });
    put("\r\n");
}
