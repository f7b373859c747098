//! `signalpost healthcheck`: one request, for containers without curl.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

use crate::config::Config;

const TIMEOUT: Duration = Duration::from_secs(5);

/// The URL of a server started with the same environment: on `--metrics-listen`, if set, which never uses TLS.
pub fn url_of(config: &Config) -> Result<String, String> {
    if config.metrics_listen.is_none() && config.is_encrypted() {
        return Err(
            "the server uses TLS, which this check does not support: set SIGNALPOST_METRICS_LISTEN, or pass a URL"
                .into(),
        );
    }
    let listen = config.metrics_listen.unwrap_or(config.listen);
    // Connecting to 0.0.0.0 reaches this machine. A server on [::] accepts IPv4, too, and only that where there is no IPv6.
    let is_any = listen.ip() == Ipv6Addr::UNSPECIFIED;
    let address = if is_any { (Ipv4Addr::LOCALHOST, listen.port()).into() } else { listen };
    Ok(format!("http://{address}/readyz"))
}

/// Requests `url`, which must begin with `http://`.
pub fn run(url: &str) -> Result<(), String> {
    let rest = url.strip_prefix("http://").ok_or("the URL must begin with http://")?;
    let (host, path) = rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, path.to_owned()));
    let address = with_port(host);
    let status = get_status(host, &address, &path).map_err(|error| format!("{address}: {error}"))?;
    if status == "200" { Ok(()) } else { Err(format!("{url}: answered {status}")) }
}

/// With the default port, if there is none. An IPv6 address is in brackets, and has colons of its own.
fn with_port(host: &str) -> String {
    match host.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => host.to_owned(),
        _ => format!("{host}:80"),
    }
}

fn get_status(host: &str, address: &str, path: &str) -> io::Result<String> {
    let mut stream = connect(address.to_socket_addrs()?)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    let line = String::from_utf8_lossy(&answer);
    Ok(line.split_whitespace().nth(1).unwrap_or("nothing").to_owned())
}

/// To the first address that accepts: `localhost` may be ::1 first, where a server on 127.0.0.1 does not listen.
fn connect(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut outcome = Err(io::Error::other("no such host"));
    for address in addresses {
        outcome = TcpStream::connect_timeout(&address, TIMEOUT);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use clap::Parser;

    use super::*;
    use crate::config::Cli;

    /// Only the first address was tried.
    #[test]
    fn all_addresses_of_a_name_are_tried() {
        let [listening, closed] = [(), ()].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = [closed, listening].map(|listener| (listener.local_addr().unwrap(), listener));
        let [(refusing, closed), (accepting, _listening)] = addresses;
        drop(closed);
        assert_eq!(connect([refusing, accepting].into_iter()).unwrap().peer_addr().unwrap(), accepting);
        assert_eq!(connect([refusing].into_iter()).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert!(connect([].into_iter()).is_err());
    }

    #[test]
    fn a_url_without_a_port_means_port_80() {
        for (host, address) in [
            ("localhost", "localhost:80"),
            ("localhost:8080", "localhost:8080"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::1]", "[::1]:80"),
            ("[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(with_port(host), address);
        }
    }

    #[test]
    fn a_server_on_all_addresses_is_checked_by_ipv4() {
        for (listen, url) in [
            (":8080", "http://127.0.0.1:8080/readyz"),
            ("0.0.0.0:8080", "http://0.0.0.0:8080/readyz"),
            ("[::1]:8080", "http://[::1]:8080/readyz"),
        ] {
            let config = Cli::try_parse_from(["signalpost", "--listen", listen]).unwrap().config;
            assert_eq!(url_of(&config).as_deref(), Ok(url));
        }
    }
}
