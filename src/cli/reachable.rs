//! The addresses under which the server can be reached.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use socket2::{Domain, Socket, Type};

/// A socket bound to the address. `[::]` accepts IPv4, too, whatever the system's default (net.ipv6.bindv6only).
pub fn dual_stack(addr: SocketAddr, kind: Type) -> io::Result<Socket> {
    let (socket, addr) = open_or_ipv4(addr, |addr| Socket::new(Domain::for_address(addr), kind, None))?;
    if addr.ip() == Ipv6Addr::UNSPECIFIED {
        socket.set_only_v6(false)?;
    }
    if kind == Type::STREAM {
        // Like the standard library, so that a restarted server can bind while old connections are in TIME-WAIT.
        socket.set_reuse_address(true)?;
    }
    socket.bind(&addr.into())?;
    Ok(socket)
}

/// A socket for the address; for `0.0.0.0` in place of `[::]` if the system has no IPv6.
fn open_or_ipv4<T>(addr: SocketAddr, open: impl Fn(SocketAddr) -> io::Result<T>) -> io::Result<(T, SocketAddr)> {
    match open(addr) {
        Err(error) if addr.ip() == Ipv6Addr::UNSPECIFIED => {
            let all = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), addr.port());
            open(all).map(|socket| (socket, all)).map_err(|_| error)
        }
        opened => opened.map(|socket| (socket, addr)),
    }
}

/// The addresses to open: for a wildcard address, all addresses of this machine.
pub fn reachable_at(addr: SocketAddr) -> Vec<SocketAddr> {
    let ips: Vec<IpAddr> = if_addrs::get_if_addrs().unwrap_or_default().iter().map(if_addrs::Interface::ip).collect();
    reachable_among(addr, ips)
}

fn reachable_among(addr: SocketAddr, mut ips: Vec<IpAddr>) -> Vec<SocketAddr> {
    if !addr.ip().is_unspecified() {
        return vec![addr];
    }
    ips.retain(|ip| (ip.is_ipv4() || addr.is_ipv6()) && !is_link_local(*ip));
    // Loopback first: it always works, and browsers allow cameras there.
    ips.sort_by_key(|ip| (!ip.is_loopback(), *ip));
    ips.dedup();
    if ips.is_empty() { vec![addr] } else { ips.into_iter().map(|ip| SocketAddr::new(ip, addr.port())).collect() }
}

/// Link-local addresses need an interface, which a URL cannot name (RFC 9844).
fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reachable(addr: &str, ips: &[&str]) -> Vec<String> {
        let ips = ips.iter().map(|ip| ip.parse().unwrap()).collect();
        reachable_among(addr.parse().unwrap(), ips).iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn the_ipv6_wildcard_includes_ipv4_addresses() {
        let machine = ["192.168.1.7", "::1", "fe80::1", "169.254.3.4", "2001:db8::7", "127.0.0.1"];
        assert_eq!(reachable("[::]:80", &machine), ["127.0.0.1:80", "[::1]:80", "192.168.1.7:80", "[2001:db8::7]:80"]);
        assert_eq!(reachable("0.0.0.0:80", &machine), ["127.0.0.1:80", "192.168.1.7:80"]);
        assert_eq!(reachable("[2001:db8::7]:80", &machine), ["[2001:db8::7]:80"]);
        assert_eq!(reachable("[::]:80", &["fe80::1"]), ["[::]:80"]);
    }

    /// `:8080` means all addresses, and was "Address family not supported by protocol" where the kernel has no IPv6.
    #[test]
    fn all_addresses_are_those_of_ipv4_without_ipv6() {
        let without_ipv6 = |addr: SocketAddr| match addr {
            SocketAddr::V4(_) => Ok(()),
            SocketAddr::V6(_) => Err(io::Error::other("no IPv6")),
        };
        let opened = |text: &str| open_or_ipv4(text.parse().unwrap(), without_ipv6).map(|(_, addr)| addr.to_string());
        assert_eq!(opened("[::]:8080").unwrap(), "0.0.0.0:8080");
        assert_eq!(opened("127.0.0.1:80").unwrap(), "127.0.0.1:80");
        assert_eq!(opened("[::1]:8080").unwrap_err().to_string(), "no IPv6");
        let full = |_| io::Result::<()>::Err(io::ErrorKind::OutOfMemory.into());
        assert_eq!(open_or_ipv4("[::]:80".parse().unwrap(), full).unwrap_err().kind(), io::ErrorKind::OutOfMemory);
        let with_both = open_or_ipv4("[::]:80".parse().unwrap(), |_| Ok(())).unwrap().1;
        assert_eq!(with_both.to_string(), "[::]:80");
    }
}
