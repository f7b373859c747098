//! Clients over TCP and TLS, on connections that the transport has recognized by their first byte.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, BytesMut};
use futures_util::future::LocalBoxFuture;
use tokio::{io::ReadBuf, time::Sleep};

use crate::{
    transport::other_protocol::{AcceptedStream, Io, OtherProtocol},
    turn::{
        allocations::DropReason,
        counters::Transport,
        limits::{FRAME_MAX, PATIENCE},
        messages::framing::{Frame, NotTurn, begins_stun, first_frame},
        net::handle::{ClientId, Handle},
        net::outbox::Outbox,
        server::{Client, Step, TurnServer},
    },
};

const READ_BYTES: usize = 16 * 1024;

impl OtherProtocol for Arc<TurnServer> {
    fn recognizes(&self, first: u8) -> bool {
        self.has_relay() && begins_stun(first)
    }

    fn serve<'a>(&'a self, stream: AcceptedStream<'a>) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            let outbox = Arc::new(Outbox::default());
            let transport = if stream.encrypted { Transport::Tls } else { Transport::Tcp };
            let handle = Handle::Stream { outbox: outbox.clone(), transport };
            let client = Client { id: self.next_stream_id(), handle, addr: stream.peer };
            let _allocation = ClosesAllocation { server: self, id: client.id };
            let mut connection = StreamClient {
                io: stream.io,
                server: self,
                client,
                outbox,
                input: stream.received,
                output: Vec::new(),
                written: 0,
                responses: 0,
                patience: None,
            };
            // However it ends, there is nobody to tell.
            let _ = connection.run().await;
        })
    }
}

/// Ends the allocation with the connection (RFC 8656 section 7.2).
struct ClosesAllocation<'a> {
    server: &'a TurnServer,
    id: ClientId,
}

impl Drop for ClosesAllocation<'_> {
    fn drop(&mut self) {
        self.server.close(&self.id);
    }
}

struct StreamClient<'a> {
    io: &'a mut dyn Io,
    server: &'a Arc<TurnServer>,
    client: Client,
    /// From other clients.
    outbox: Arc<Outbox>,
    input: BytesMut,
    /// Responses, and what was taken from the outbox.
    output: Vec<u8>,
    /// How much of the output has been written.
    written: usize,
    /// How much of the output is responses.
    responses: usize,
    /// Runs while there is no allocation.
    patience: Option<Pin<Box<Sleep>>>,
}

impl StreamClient<'_> {
    async fn run(&mut self) -> io::Result<()> {
        loop {
            while let Some((message, step)) = self.handle_input()? {
                self.answer(&message, step).await;
            }
            poll_fn(|context| self.poll_io(context)).await?;
        }
    }

    /// Handles complete frames, up to an Allocate request, which must be answered before what follows.
    fn handle_input(&mut self) -> io::Result<Option<(BytesMut, Step)>> {
        loop {
            let first = first_frame(&self.input).map_err(|NotTurn| io::ErrorKind::InvalidData)?;
            let Some((frame, length)) = first else { break };
            let step = match frame {
                Frame::Channel(number, data) => {
                    let relayed = self.server.handle_channel(&self.client, number, data);
                    if relayed == Err(DropReason::Unknown) && !self.server.has_allocation(&self.client.id) {
                        return Err(io::ErrorKind::InvalidData.into());
                    }
                    Step::Nothing
                }
                Frame::Message(message) => self.server.handle(&self.client, message),
            };
            match step {
                Step::Nothing => self.input.advance(length),
                Step::Reply(response) => {
                    self.input.advance(length);
                    self.respond(&response);
                }
                Step::Allocate(_) => return Ok(Some((self.input.split_to(length), step))),
            }
        }
        // A waiting connection keeps no more than the beginning of a frame.
        self.input = BytesMut::from(&self.input[..]);
        Ok(None)
    }

    fn respond(&mut self, response: &[u8]) {
        self.output.extend_from_slice(response);
        self.responses += response.len();
    }

    async fn answer(&mut self, message: &[u8], step: Step) {
        if let Step::Allocate(request) = step
            && let Step::Reply(response) = self.server.allocate(self.client.clone(), message, *request).await
        {
            self.respond(&response);
        }
    }

    /// Writes and reads; ready when input has arrived.
    fn poll_io(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write(context)?;
        // Requests of a client that does not read their responses wait in the kernel; nothing piles up here. Packets of others must
        // not stop the reading: they are media, and what this client sends is what makes the other side send less.
        if self.responses <= FRAME_MAX {
            let mut buffer = [std::mem::MaybeUninit::uninit(); READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut buffer);
            if Pin::new(&mut *self.io).poll_read(context, &mut buffer)?.is_ready() {
                if buffer.filled().is_empty() {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                self.input.extend_from_slice(buffer.filled());
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_patience(context)
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        loop {
            if self.written == self.output.len() {
                (self.output, self.written, self.responses) = (self.outbox.take(context.waker()), 0, 0);
                if self.output.is_empty() {
                    break;
                }
            }
            match Pin::new(&mut *self.io).poll_write(context, &self.output[self.written..])? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(length) => self.written += length,
                Poll::Pending => break,
            }
        }
        // TLS may hold ciphertext.
        let _ = Pin::new(&mut *self.io).poll_flush(context)?;
        Ok(())
    }

    /// A connection without an allocation is closed after a time. Input that does not lead to one does not extend it.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.server.has_allocation(&self.client.id) {
            self.patience = None;
            return Poll::Pending;
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(tokio::time::sleep(PATIENCE)));
        patience.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}
