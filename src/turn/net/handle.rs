//! How clients are told apart and reached.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use crate::turn::{
    allocations::DropReason,
    counters::Transport,
    net::{endpoint::Endpoint, outbox::Outbox, peer_sockets::PeerSocket},
};

/// The connection between a client and this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientId {
    Udp { socket: u16, local: Option<IpAddr>, addr: SocketAddr },
    Stream(u64),
}

/// How a client is reached.
#[derive(Clone, Debug)]
pub enum Handle {
    Udp {
        endpoint: Arc<Endpoint>,
        local: Option<IpAddr>,
        addr: SocketAddr,
    },
    Stream {
        outbox: Arc<Outbox>,
        transport: Transport,
    },
    /// A client of an open relay, with the socket of its allocation.
    Open(Arc<(Handle, PeerSocket)>),
}

impl Handle {
    pub fn transport(&self) -> Transport {
        match self {
            Self::Udp { .. } => Transport::Udp,
            Self::Stream { transport, .. } => *transport,
            Self::Open(open) => open.0.transport(),
        }
    }

    pub fn send(&self, packet: &[u8]) -> Result<(), DropReason> {
        match self {
            Self::Udp { endpoint, local, addr } => sent(endpoint.send(packet, *addr, *local)),
            Self::Stream { outbox, .. } if outbox.push(packet) => Ok(()),
            Self::Stream { .. } => Err(DropReason::QueueFull),
            Self::Open(open) => open.0.send(packet),
        }
    }

    /// Sends to a peer outside, from the relayed address.
    pub fn send_outside(&self, packet: &[u8], peer: SocketAddr) -> Result<(), DropReason> {
        match self {
            Self::Open(open) => sent(open.1.send(packet, peer)),
            _ => Err(DropReason::NoPeer),
        }
    }

    pub fn is_datagram(&self) -> bool {
        self.transport() == Transport::Udp
    }

    /// Lets the client's connection look at its allocation again.
    pub fn wake(&self) {
        match self {
            Self::Udp { .. } => {}
            Self::Stream { outbox, .. } => outbox.wake(),
            Self::Open(open) => open.0.wake(),
        }
    }
}

fn sent(result: io::Result<()>) -> Result<(), DropReason> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => DropReason::QueueFull,
        _ => DropReason::SendFailed,
    })
}
