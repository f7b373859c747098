//! Binds the addresses of options.

use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
};

use crate::cli::reachable::dual_stack;

/// Connections waiting to be accepted; the kernel may allow fewer (`net.core.somaxconn`). The standard library's 128 would
/// make clients that connect at the same moment wait a second.
const BACKLOG: i32 = 4096;
/// How many free ports are tried until one is free for both protocols.
const PORTS_TRIED: usize = 50;

/// A listener, and its address with the real port.
pub fn tcp(addr: SocketAddr, option: &str) -> Result<(TcpListener, SocketAddr), String> {
    let listen = || {
        let socket = dual_stack(addr, socket2::Type::STREAM)?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from(socket);
        let addr = listener.local_addr()?;
        io::Result::Ok((listener, addr))
    };
    listen().map_err(|error| bind_error(addr, option, &error))
}

pub fn udp(addr: SocketAddr, option: &str) -> Result<UdpSocket, String> {
    let socket = dual_stack(addr, socket2::Type::DGRAM);
    socket.map(UdpSocket::from).map_err(|error| bind_error(addr, option, &error))
}

/// The same port over both, which port 0 chooses.
pub fn tcp_and_udp(addr: SocketAddr, option: &str) -> Result<(TcpListener, SocketAddr, UdpSocket), String> {
    let mut tried = 0;
    loop {
        let (listener, bound) = tcp(addr, option)?;
        match dual_stack(bound, socket2::Type::DGRAM) {
            Ok(socket) => return Ok((listener, bound, socket.into())),
            Err(error) if addr.port() == 0 && error.kind() == io::ErrorKind::AddrInUse && tried < PORTS_TRIED => {
                tried += 1
            }
            Err(error) => {
                let why = bind_error(bound, option, &error);
                return Err(format!("the relay needs TCP and UDP on the same port: {why}"));
            }
        }
    }
}

/// What to change, by the option's name.
fn bind_error(addr: SocketAddr, option: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("{addr} is in use; choose another with {option}, port 0 for any free one")
        }
        io::ErrorKind::PermissionDenied => {
            format!("{addr} of {option} is not permitted; ports from 1024 up need no rights")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "{addr} is not an address of this machine; choose one with {option}, :{} for all of them",
                addr.port()
            )
        }
        _ => format!("{option} {addr}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_names_the_option() {
        use io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied, Unsupported};
        for kind in [AddrInUse, AddrNotAvailable, PermissionDenied, Unsupported] {
            let error = bind_error("203.0.113.7:443".parse().unwrap(), "--stun-listen", &kind.into());
            assert!(error.contains("--stun-listen") && error.contains("203.0.113.7:443"), "{error}");
        }
    }
}
