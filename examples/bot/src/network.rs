//! The address that others reach this machine at.

use std::io;
use std::net::IpAddr;

use tokio::net::{UdpSocket, lookup_host};

/// The address from which this machine talks with the server. Good for calls in one network: what is behind a NAT would need a STUN server.
pub async fn address_towards(server: &str) -> io::Result<IpAddr> {
    let authority = server.split("://").last().and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let host = if authority.ends_with(']') || !authority.contains(':') {
        format!("{authority}:443")
    } else {
        authority.to_owned()
    };
    let target = lookup_host(host).await?.next().ok_or_else(|| io::Error::other("the server has no address"))?;
    let any = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).await?;
    // Sends nothing.
    socket.connect(target).await?;
    Ok(socket.local_addr()?.ip())
}
