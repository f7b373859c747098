//! Clients over UDP.

use std::{
    io::{self, IoSliceMut},
    sync::Arc,
    time::Duration,
};

use quinn_udp::{BATCH_SIZE, RecvMeta};
use smallvec::SmallVec;
use tokio::{io::Interest, sync::Semaphore};

use crate::turn::{
    allocations::DropReason,
    messages::framing::{Frame, read_datagram},
    messages::request::Pending,
    net::endpoint::Endpoint,
    net::handle::{ClientId, Handle},
    server::{Client, Step, TurnServer},
};

/// The kernel coalesces datagrams of one sender up to this length (UDP_GRO).
const COALESCED_MAX: usize = 64 * 1024;
/// Messages received by one call.
const BATCH: usize = if BATCH_SIZE < 8 { BATCH_SIZE } else { 8 };
/// Allocate requests that wait for the engine. Further ones are dropped, and repeated by their clients.
const PENDING_MAX: usize = 256;
/// After an error of the socket.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Serves the clients of a socket.
pub struct UdpClients {
    endpoint: Arc<Endpoint>,
    server: Arc<TurnServer>,
    pending: Arc<Semaphore>,
}

impl UdpClients {
    pub fn new(endpoint: Arc<Endpoint>, server: Arc<TurnServer>) -> Self {
        Self { endpoint, server, pending: Arc::new(Semaphore::new(PENDING_MAX)) }
    }

    /// Serves until it is dropped.
    pub async fn serve(self) -> io::Result<()> {
        let readable = self.endpoint.readable()?;
        let mut buffers = vec![vec![0; COALESCED_MAX]; BATCH];
        loop {
            let served = readable.async_io(Interest::READABLE, || {
                let count = self.receive(&mut buffers)?;
                // With buffers left over, the socket is empty; another call would only say so.
                if count < BATCH { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            if let Err(error) = served.await {
                tracing::debug!(%error, "UDP");
                tokio::time::sleep(RETRY_DELAY).await;
            }
            tokio::task::consume_budget().await;
        }
    }

    /// Receives and handles what has arrived; returns the number of messages.
    fn receive(&self, buffers: &mut [Vec<u8>]) -> io::Result<usize> {
        let mut metas = [RecvMeta::default(); BATCH];
        let mut slices: SmallVec<[IoSliceMut<'_>; BATCH]> =
            buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
        let count = self.endpoint.receive(&mut slices, &mut metas)?;
        drop(slices);
        for (meta, buffer) in metas.iter().zip(buffers.iter()).take(count) {
            self.handle(meta, buffer.get(..meta.len).unwrap_or_default());
        }
        Ok(count)
    }

    /// Handles one datagram, or several of the same length from the same sender.
    fn handle(&self, meta: &RecvMeta, received: &[u8]) {
        let (addr, local) = (meta.addr, meta.dst_ip);
        let id = ClientId::Udp { socket: self.endpoint.number(), local, addr };
        let client = Client { id, handle: Handle::Udp { endpoint: self.endpoint.clone(), local, addr }, addr };
        for datagram in received.chunks(meta.stride.max(1)) {
            match read_datagram(datagram) {
                // What is dropped is counted.
                Ok(Frame::Channel(number, data)) => drop(self.server.handle_channel(&client, number, data)),
                Ok(Frame::Message(message)) => match self.server.handle(&client, message) {
                    Step::Nothing => {}
                    // Clients repeat requests (RFC 8489 section 6.2.1).
                    Step::Reply(response) => drop(client.handle.send(&response)),
                    Step::Allocate(request) => self.allocate(&client, message, request),
                },
                Err(_) => self.server.counters.dropped(DropReason::Malformed),
            }
        }
    }

    fn allocate(&self, client: &Client, message: &[u8], request: Box<Pending<Handle>>) {
        let Ok(permit) = self.pending.clone().try_acquire_owned() else {
            return self.server.counters.dropped(DropReason::OverRequestRate);
        };
        let (server, client, message) = (self.server.clone(), client.clone(), message.to_vec());
        tokio::spawn(async move {
            let handle = client.handle.clone();
            if let Step::Reply(response) = server.allocate(client, &message, *request).await {
                let _ = handle.send(&response);
            }
            drop(permit);
        });
    }
}
