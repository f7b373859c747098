//! `signalpost healthcheck`: one request, for containers that have no curl.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use crate::config::Config;

const PATIENCE: Duration = Duration::from_secs(5);

/// Where a server that was started with the same environment answers: if there is a listener for operators then there,
/// because that one never does TLS.
pub fn url_of(config: &Config) -> Result<String, String> {
    if config.metrics_listen.is_none() && config.is_encrypted() {
        return Err("the server does TLS and this check does not: set SIGNALPOST_METRICS_LISTEN, or give a URL".into());
    }
    // A connection to 0.0.0.0 or :: is one to this machine.
    Ok(format!("http://{}/readyz", config.metrics_listen.unwrap_or(config.listen)))
}

/// Asks for `url`, which must be plain `http://`. An error says what was wrong.
pub fn run(url: &str) -> Result<(), String> {
    let rest = url.strip_prefix("http://").ok_or("the URL must begin with http://")?;
    let (host, path) = rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, path.to_owned()));
    let with_port = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let status = ask(host, &with_port, &path).map_err(|error| format!("{with_port}: {error}"))?;
    if status == "200" { Ok(()) } else { Err(format!("{url}: answered {status}")) }
}

fn ask(host: &str, address: &str, path: &str) -> std::io::Result<String> {
    let address = address.to_socket_addrs()?.next().ok_or_else(|| std::io::Error::other("no such host"))?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    let line = String::from_utf8_lossy(&answer);
    Ok(line.split_whitespace().nth(1).unwrap_or("nothing").to_owned())
}
