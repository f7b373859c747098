//! coturn's client, `turnutils_uclient`.

use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::process::{Child, Command};

use super::{CLOSED, two_members, two_members_over_tls};
use crate::support::{certificate::write_certificate, harness::Server, redis_server::free_port};

/// Two clients of it exchange three messages each (`-y`), without allocations for RTCP (`-c`).
async fn run(port: u16, joined: &serde_json::Value, flags: &[&str]) -> String {
    let relay = &joined["ice_servers"][1];
    let (username, password) = (relay["username"].as_str().unwrap(), relay["credential"].as_str().unwrap());
    let mut client = Command::new("timeout");
    client.args([
        "60",
        "turnutils_uclient",
        "-c",
        "-n",
        "3",
        "-m",
        "1",
        "-l",
        "101",
        "-u",
        username,
        "-w",
        password,
        "-p",
    ]);
    client.arg(port.to_string()).args(flags).arg("127.0.0.1");
    let output = client.output().await.expect("turnutils_uclient is in the Debian package coturn");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[actix_web::test]
async fn it_exchanges_messages_over_udp_and_tcp() {
    let server = Server::start(&CLOSED);
    let members = two_members(&server, "tea").await;
    let joined = &members[0].joined;
    let relayed = [&["-y"][..], &["-y", "-s"], &["-y", "-t"]].map(async |flags| {
        let text = run(server.port, joined, flags).await;
        assert!(text.contains("Total lost packets 0 "), "{flags:?}: {text}");
    });
    let refused = [(&["-y", "-T"][..], "442"), (&["-y", "-x"], "440"), (&["-e", "10.1.1.1"], "403")];
    let refused = refused.map(async |(flags, code)| {
        let text = run(server.port, joined, flags).await;
        assert!(text.contains(&format!("error {code}")), "{flags:?}: {text}");
    });
    join(join_all(relayed), join_all(refused)).await;
}

/// coturn's peer answers with what it gets.
#[actix_web::test]
async fn it_exchanges_messages_with_a_peer_outside() {
    let server = Server::start(&["--turn-relay=open", "--turn-external-ip=127.0.0.1", "--turn-allow-peer=127.0.0.2"]);
    let members = two_members(&server, "tea").await;
    let port = free_port().to_string();
    let mut peer =
        Command::new("turnutils_peer").args(["-L", "127.0.0.2", "-p", &port]).kill_on_drop(true).spawn().unwrap();
    answers(&mut peer, &format!("127.0.0.2:{port}")).await;
    for flags in [&[][..], &["-s"], &["-t"]] {
        let text = run(server.port, &members[0].joined, &[flags, &["-e", "127.0.0.2", "-r", &port]].concat()).await;
        assert!(text.contains("Total lost packets 0 "), "{flags:?}: {text}");
    }
    peer.kill().await.unwrap();
}

/// Waits until it sends something back.
async fn answers(peer: &mut Child, at: &str) {
    let socket = tokio::net::UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let (mut pace, mut buffer) = (tokio::time::interval(Duration::from_millis(20)), [0; 64]);
    loop {
        pace.tick().await;
        assert!(peer.try_wait().unwrap().is_none(), "it has ended");
        // Refused as long as nobody listens.
        let _ = socket.send_to(b"is anybody there?", at).await;
        let answer = socket.recv_from(&mut buffer);
        if matches!(tokio::time::timeout(Duration::from_millis(500), answer).await, Ok(Ok(_))) {
            return;
        }
    }
}

#[actix_web::test]
async fn it_exchanges_messages_over_tls() {
    let certificate = write_certificate("relay-uclient");
    let server = certificate.server();
    let [ann, _ben] = two_members_over_tls(&server, &certificate).await;
    // It overlooks records that arrive together, also from its own server, so each client sends one message.
    let text = run(server.port, &ann, &["-y", "-t", "-S", "-n", "1"]).await;
    assert!(text.contains("Total lost packets 0 "), "{text}");
}
