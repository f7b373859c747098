//! A UDP socket that clients send to.
//!
//! A response must come from the address that the request was sent to (RFC 8489 section 6.3.1.2): connected sockets see no
//! other. On a wildcard address the kernel would choose the source by its routes, so each response names it (IP_PKTINFO).

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
};

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};

/// Kernel buffers, each way. The default holds some 200 packets, less than a call of many sends in a moment.
const KERNEL_BUFFER: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub struct Endpoint {
    socket: UdpSocket,
    /// Reads and sets the server's own address of each datagram.
    state: UdpSocketState,
    number: u16,
}

impl Endpoint {
    /// # Errors
    ///
    /// The system does not tell to which address a datagram was sent.
    pub fn new(socket: UdpSocket, number: u16) -> io::Result<Arc<Self>> {
        // Also makes the socket non-blocking.
        let state = UdpSocketState::new((&socket).into())?;
        // The system may allow less.
        let _ = state.set_recv_buffer_size((&socket).into(), KERNEL_BUFFER);
        let _ = state.set_send_buffer_size((&socket).into(), KERNEL_BUFFER);
        Ok(Arc::new(Self { socket, state, number }))
    }

    /// The address, with the real port.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Sends a datagram, or drops it if the kernel's buffer is full: UDP may lose packets, and clients repeat requests
    /// (RFC 8489 section 6.2.1).
    pub fn send(&self, contents: &[u8], destination: SocketAddr, src_ip: Option<IpAddr>) -> io::Result<()> {
        let transmit = Transmit { destination, ecn: None, contents, segment_size: None, src_ip };
        self.state.try_send(UdpSockRef::from(&self.socket), &transmit)
    }

    /// Receives what has arrived. A message may be several datagrams of the same length from the same sender (UDP_GRO).
    pub fn receive(&self, buffers: &mut [IoSliceMut<'_>], metas: &mut [RecvMeta]) -> io::Result<usize> {
        self.state.recv((&self.socket).into(), buffers, metas)
    }

    /// For waiting until something arrives.
    pub fn readable(&self) -> io::Result<tokio::net::UdpSocket> {
        tokio::net::UdpSocket::from_std(self.socket.try_clone()?)
    }

    pub fn number(&self) -> u16 {
        self.number
    }
}
