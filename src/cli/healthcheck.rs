//! `signalpost healthcheck`: one request, for containers without curl.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
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
    // Connecting to 0.0.0.0 or :: reaches this machine.
    Ok(format!("http://{}/readyz", config.metrics_listen.unwrap_or(config.listen)))
}

/// Requests `url`, which must begin with `http://`.
pub fn run(url: &str) -> Result<(), String> {
    let rest = url.strip_prefix("http://").ok_or("the URL must begin with http://")?;
    let (host, path) = rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, path.to_owned()));
    let with_port = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let status = get_status(host, &with_port, &path).map_err(|error| format!("{with_port}: {error}"))?;
    if status == "200" { Ok(()) } else { Err(format!("{url}: answered {status}")) }
}

fn get_status(host: &str, address: &str, path: &str) -> std::io::Result<String> {
    let address = address.to_socket_addrs()?.next().ok_or_else(|| std::io::Error::other("no such host"))?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    let line = String::from_utf8_lossy(&answer);
    Ok(line.split_whitespace().nth(1).unwrap_or("nothing").to_owned())
}
