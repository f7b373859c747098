//! The STUN responder, tested with datagrams and with coturn's client.

use std::time::Duration;

use reqwest::Method;
use signalpost::app::App;
use stun_types::{
    attribute::XorMappedAddress,
    message::{BINDING, Message, MessageWrite, MessageWriteVec},
};
use tokio::{net::UdpSocket, process::Command};

use crate::support::harness::{Server, config, send};

const LISTEN: [&str; 2] = ["--stun-listen", "127.0.0.1:0"];

/// The port in the join response.
async fn told_port(server: &Server) -> u16 {
    let joined = server.join_room("tea", "Ann").await.joined;
    let url = joined["ice_servers"][0]["urls"][0].as_str().unwrap();
    url.strip_prefix("stun:127.0.0.1:").unwrap().parse().unwrap()
}

fn question() -> Vec<u8> {
    Message::builder_request(BINDING, MessageWriteVec::new()).finish()
}

/// Retransmits until a response arrives (RFC 8489 section 6.2.1).
async fn ask(from: &UdpSocket, port: u16) -> std::net::SocketAddr {
    let mut answer = [0; 128];
    loop {
        from.send_to(&question(), ("127.0.0.1", port)).await.unwrap();
        let received = tokio::time::timeout(Duration::from_millis(500), from.recv(&mut answer)).await;
        if let Ok(Ok(length)) = received {
            let message = Message::from_bytes(&answer[..length]).unwrap();
            return message.attribute::<XorMappedAddress>().unwrap().addr(message.transaction_id());
        }
    }
}

#[actix_web::test]
async fn joins_advertise_the_stun_responder() {
    let server = Server::start(&LISTEN);
    let port = told_port(&server).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    assert_eq!(ask(&socket, port).await, socket.local_addr().unwrap());

    let mut client = Command::new("timeout");
    client.args(["20", "turnutils_stunclient", "-p", &port.to_string(), "127.0.0.1"]);
    let output = client.output().await.expect("turnutils_stunclient is in the Debian package coturn");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("UDP reflexive addr: 127.0.0.1:"), "{text}");
}

#[actix_web::test]
async fn the_advertised_stun_host_is_the_requests_host() {
    let names = ["--host", "signal.example,2001:db8::1"];
    let server = Server::start(&[LISTEN, names].concat());
    for (host, told) in [("signal.example:8443", "stun:signal.example:"), ("[2001:db8::1]", "stun:[2001:db8::1]:")] {
        let request = server.request(Method::POST, &format!("/v1/rooms/{}/peers", host.len()));
        let joined = send(request.header("host", host)).await.expect(201);
        assert!(joined["ice_servers"][0]["urls"][0].as_str().unwrap().starts_with(told), "{joined}");
    }
}

/// Behind a proxy that replaces `Host`, peers were told the proxy's name for this server, which they cannot reach.
#[actix_web::test]
async fn the_advertised_stun_host_is_the_one_that_a_trusted_proxy_names() {
    let trusting = Server::start(&[LISTEN, ["--trusted-proxy", "127.0.0.1"]].concat());
    let strict = Server::start(&LISTEN);
    for (server, name, value, told) in [
        (&trusting, "x-forwarded-host", "call.example.org:8443, inner", "stun:call.example.org:"),
        (&trusting, "forwarded", "for=192.0.2.1;host=\"call.example.org\";proto=https", "stun:call.example.org:"),
        (&trusting, "x-forwarded-host", "not a host", "stun:127.0.0.1:"),
        (&strict, "x-forwarded-host", "call.example.org", "stun:127.0.0.1:"),
    ] {
        let request = server.request(Method::POST, &format!("/v1/rooms/{}/peers", value.len()));
        let joined = send(request.header(name, value)).await.expect(201);
        assert!(joined["ice_servers"][0]["urls"][0].as_str().unwrap().starts_with(told), "{joined}");
    }
    // A name that peers can reach stays: that of the proxy may lead to another machine, which has no STUN.
    let named =
        Server::start(&[&LISTEN[..], &["--trusted-proxy", "127.0.0.1", "--host", "origin.example.org"]].concat());
    let request = named.request(Method::POST, "/v1/rooms/tea/peers").header("host", "origin.example.org");
    let joined = send(request.header("x-forwarded-host", "cdn.example.org")).await.expect(201);
    assert!(joined["ice_servers"][0]["urls"][0].as_str().unwrap().starts_with("stun:origin.example.org:"), "{joined}");
}

#[actix_web::test]
async fn stun_requests_over_the_rate_are_dropped_per_address() {
    let server = Server::start(&LISTEN);
    let port = told_port(&server).await;
    let flood = UdpSocket::bind("127.0.0.9:0").await.unwrap();
    let ignored = async || {
        let figures = server.get("/metrics").await.text;
        let line = figures.lines().find_map(|line| line.strip_prefix("signalpost_stun_ignored_total ")).unwrap();
        line.parse::<u64>().unwrap()
    };
    while ignored().await < 500 {
        for _ in 0..500 {
            flood.send_to(&question(), ("127.0.0.1", port)).await.unwrap();
        }
    }
    let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    assert_eq!(ask(&other, port).await, other.local_addr().unwrap());
}

/// Uses a connected socket, as browsers do: it receives only datagrams from the queried address.
async fn ask_connected(bound: &str, asked: std::net::SocketAddr) -> std::net::SocketAddr {
    let socket = UdpSocket::bind(bound).await.unwrap();
    socket.connect(asked).await.unwrap();
    let own = socket.local_addr().unwrap();
    let mut answer = [0; 128];
    let asking = async {
        loop {
            socket.send(&question()).await.unwrap();
            let received = tokio::time::timeout(Duration::from_millis(500), socket.recv(&mut answer)).await;
            if let Ok(length) = received {
                let message = Message::from_bytes(&answer[..length.unwrap()]).unwrap();
                return message.attribute::<XorMappedAddress>().unwrap().addr(message.transaction_id());
            }
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(20), asking).await;
    let seen = seen.unwrap_or_else(|_| panic!("no answer from {asked} to {own}"));
    assert_eq!(seen, own);
    seen
}

/// RFC 8489 section 6.3.1.2. On a host with several addresses the kernel used to choose. IPv6, which has only one loopback address, is
/// in tests/net/stun.test.js.
#[actix_web::test]
async fn stun_responses_come_from_the_queried_address() {
    for (listen, asked) in [
        ("0.0.0.0:0", vec!["127.0.0.1", "127.0.0.2", "127.77.0.5"]),
        ("[::]:0", vec!["127.0.0.1", "127.0.0.2", "127.77.0.5", "::1"]),
        ("127.0.0.2:0", vec!["127.0.0.2"]),
        ("[::1]:0", vec!["::1"]),
    ] {
        let server = Server::start(&["--stun-listen", listen]);
        let port = told_port(&server).await;
        for ip in asked {
            let asked = std::net::SocketAddr::new(ip.parse().unwrap(), port);
            ask_connected(if asked.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }, asked).await;
        }
    }
}

/// The kernel coalesces datagrams of one sender (UDP_GRO); each is a separate request.
#[actix_web::test]
async fn coalesced_datagrams_are_answered_individually() {
    let server = Server::start(&["--stun-listen", "127.0.0.1:0"]);
    let port = told_port(&server).await;
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let state = quinn_udp::UdpSocketState::new((&socket).into()).unwrap();
    let asked = state.max_gso_segments().min(5);
    let question = question();
    let contents = question.repeat(asked);
    let destination = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let segment_size = Some(question.len());
    let transmit = quinn_udp::Transmit { destination, ecn: None, contents: &contents, segment_size, src_ip: None };
    state.try_send((&socket).into(), &transmit).unwrap();
    let socket = UdpSocket::from_std(socket).unwrap();
    for number in 0..asked {
        let mut answer = [0; 128];
        let received = tokio::time::timeout(Duration::from_secs(20), socket.recv(&mut answer)).await;
        assert!(received.is_ok(), "answer {number} of {asked}");
    }
}

#[actix_web::test]
async fn a_port_in_use_fails_startup_naming_the_option() {
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let error = App::build(config(&["--stun-listen", &addr])).err().unwrap();
    assert_eq!(error, format!("{addr} is in use; choose another with --stun-listen, port 0 for any free one"));
}
