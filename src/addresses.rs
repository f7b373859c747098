//! Under which addresses people reach the server.

use std::net::{IpAddr, SocketAddr};

/// Where people can open it: on all interfaces that is each address of this machine.
pub fn reachable_at(addr: SocketAddr) -> Vec<SocketAddr> {
    if !addr.ip().is_unspecified() {
        return vec![addr];
    }
    let mut ips: Vec<IpAddr> =
        if_addrs::get_if_addrs().unwrap_or_default().iter().map(if_addrs::Interface::ip).collect();
    ips.retain(|ip| ip.is_ipv4() == addr.is_ipv4() && !is_link_local(*ip));
    // Loopback first: that one always works, and from there browsers give cameras.
    ips.sort_by_key(|ip| (!ip.is_loopback(), *ip));
    ips.dedup();
    if ips.is_empty() { vec![addr] } else { ips.into_iter().map(|ip| SocketAddr::new(ip, addr.port())).collect() }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}
