//! The sockets of an open relay: one for each allocation, to which peers outside send.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    ops::RangeInclusive,
    sync::{Arc, OnceLock},
    time::Duration,
};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{runtime, task::AbortHandle};
use turn_types::AddressFamily;

use crate::turn::limits::FRAME_MAX;

/// Ports that are tried before an allocation is refused. With nine of ten in use, one in 40,000 is refused although there is one.
const ATTEMPTS: usize = 100;

/// After an error of a socket.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Where the sockets are.
#[derive(Debug)]
pub struct PeerSockets {
    /// Each family's address as peers see it, and that of the sockets.
    addresses: Vec<(IpAddr, IpAddr)>,
    ports: RangeInclusive<u16>,
    /// That of the thread of UDP.
    runtime: OnceLock<runtime::Handle>,
}

/// The socket of one allocation. It is closed when this is dropped.
#[derive(Debug)]
pub struct PeerSocket {
    socket: Arc<tokio::net::UdpSocket>,
    reader: AbortHandle,
}

impl PeerSockets {
    pub fn new(addresses: Vec<(IpAddr, IpAddr)>, ports: RangeInclusive<u16>) -> Self {
        Self { addresses, ports, runtime: OnceLock::new() }
    }

    /// Sockets are served by the caller's runtime.
    pub fn serve_here(&self) {
        let _ = self.runtime.set(runtime::Handle::current());
    }

    /// A socket on a free port, and its address as peers see it.
    pub fn bind(&self, family: AddressFamily, even_port: bool) -> io::Result<(UdpSocket, SocketAddr)> {
        let is_wanted = |(external, _): &&(IpAddr, IpAddr)| external.is_ipv4() == (family == AddressFamily::IPV4);
        let &(external, local) = self.addresses.iter().find(is_wanted).ok_or(ErrorKind::AddrNotAvailable)?;
        for _ in 0..ATTEMPTS {
            let port = fastrand::u16(self.ports.clone());
            let port = if even_port { port & !1 } else { port };
            if !self.ports.contains(&port) {
                continue;
            }
            match open((local, port).into()) {
                Ok(socket) => return Ok((socket, (external, port).into())),
                Err(error) if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AddrInUse.into())
    }

    /// Begins to take what peers send to the socket.
    pub fn serve(&self, socket: UdpSocket, take: impl Take) -> io::Result<PeerSocket> {
        let runtime = self.runtime.get().ok_or(ErrorKind::NotConnected)?;
        let _inside = runtime.enter();
        let socket = Arc::new(tokio::net::UdpSocket::from_std(socket)?);
        let reader = runtime.spawn(read(socket.clone(), take)).abort_handle();
        Ok(PeerSocket { socket, reader })
    }
}

/// Called with each packet and its sender.
pub trait Take: Fn(SocketAddr, &[u8]) + Send + Sync + 'static {}
impl<T: Fn(SocketAddr, &[u8]) + Send + Sync + 'static> Take for T {}

/// A socket only of its own family: one for all of IPv6 would otherwise have the port in IPv4, too, and send there.
pub fn open(local: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
    if local.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&local.into())?;
    Ok(socket.into())
}

/// Whether packets to this address stay on this machine: the system would send them from the address itself.
pub fn is_local(ip: IpAddr) -> bool {
    let any: IpAddr = if ip.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let source = UdpSocket::bind((any, 0)).and_then(|socket| {
        // Sends nothing.
        socket.connect((ip, 9))?;
        socket.local_addr()
    });
    ip.is_loopback() || source.is_ok_and(|source| source.ip() == ip)
}

async fn read(socket: Arc<tokio::net::UdpSocket>, take: impl Take) {
    // A longer packet is cut, and dropped for its length.
    let mut packet = vec![0; FRAME_MAX + 1];
    loop {
        match socket.recv_from(&mut packet).await {
            Ok((length, peer)) => take(peer, packet.get(..length).unwrap_or_default()),
            Err(_) => tokio::time::sleep(RETRY_DELAY).await,
        }
        tokio::task::consume_budget().await;
    }
}

impl PeerSocket {
    pub fn send(&self, packet: &[u8], peer: SocketAddr) -> io::Result<()> {
        // Not by tokio, which sends nothing before it has been told that a new socket can be written to.
        SockRef::from(&self.socket).send_to(packet, &peer.into()).map(|_| ())
    }
}

impl Drop for PeerSocket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}
