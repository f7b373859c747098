//! An open relay (`--turn-relay open`): peers outside, which do not use TURN.

use std::net::{IpAddr, SocketAddr};

use tokio::net::UdpSocket;
use turn_types::{
    AddressFamily,
    attribute::{EvenPort, RequestedAddressFamily},
};

use super::{connect, metric, two_members};
use crate::support::{
    harness::{Peer, Server},
    turn_client::{Received, TurnClient},
};

/// Peers of these tests are at this address. The relay's own is 127.0.0.1.
const PEER: &str = "127.0.0.2";
const OPEN: [&str; 6] = ["--turn-relay", "open", "--turn-external-ip", "127.0.0.1", "--turn-allow-peer", PEER];

async fn outsider(ip: &str) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((ip, 0)).await.unwrap();
    let addr = socket.local_addr().unwrap();
    (socket, addr)
}

async fn heard(socket: &UdpSocket) -> (SocketAddr, Vec<u8>) {
    let mut packet = vec![0; 5000];
    let (length, from) = socket.recv_from(&mut packet).await.unwrap();
    packet.truncate(length);
    (from, packet)
}

async fn client(way: &str, server: &Server, peer: &Peer) -> TurnClient {
    match way {
        "udp" => TurnClient::udp(server.port, &peer.joined).await,
        _ => TurnClient::tcp(server.port, &peer.joined).await,
    }
}

/// Waits until this number of packets has been dropped for a reason.
async fn dropped(server: &Server, reason: &str, count: u64) {
    let name = format!("signalpost_relay_drops_total{{reason=\"{reason}\"}}");
    while metric(server, &name).await < count {}
}

#[actix_web::test]
async fn a_member_and_a_peer_outside_exchange_packets() {
    let server = Server::start(&OPEN);
    let members = two_members(&server, "tea").await;
    for (way, member) in ["udp", "tcp"].into_iter().zip(&members) {
        let mut ann = client(way, &server, member).await;
        let (socket, peer) = outsider(PEER).await;
        let relayed = ann.allocate().await.relayed();
        assert!(relayed.ip() == IpAddr::from([127, 0, 0, 1]) && relayed.port() >= 49_152, "{relayed}");
        assert_eq!(ann.permit(peer).await.code(), 0);
        for length in [0, 1, 1200, 3000] {
            let data = vec![length as u8; length];
            ann.indicate(peer, &data).await;
            assert_eq!(heard(&socket).await, (relayed, data.clone()));
            socket.send_to(&data, relayed).await.unwrap();
            assert_eq!(ann.receive().await, Received::Data(peer, data));
        }
        assert_eq!(ann.bind(0x4001, peer).await.code(), 0);
        ann.send(0x4001, b"to the peer").await;
        assert_eq!(heard(&socket).await, (relayed, b"to the peer".into()));
        socket.send_to(&[7; 4096], relayed).await.unwrap();
        assert_eq!(ann.receive().await, Received::Channel(0x4001, vec![7; 4096]));
        // Longer than any message of ours.
        socket.send_to(&[8; 4097], relayed).await.unwrap();
        socket.send_to(b"and shorter", relayed).await.unwrap();
        assert_eq!(ann.receive().await, Received::Channel(0x4001, b"and shorter".into()));
    }
    assert_eq!(metric(&server, "signalpost_relay_packets_total{transport=\"tcp\"}").await, 11);
}

#[actix_web::test]
async fn nothing_arrives_from_outside_without_a_permission() {
    let server = Server::start(&OPEN);
    let [ann, _ben] = two_members(&server, "tea").await;
    let mut ann = client("udp", &server, &ann).await;
    let relayed = ann.allocate().await.relayed();
    let (socket, peer) = outsider(PEER).await;
    socket.send_to(b"knock", relayed).await.unwrap();
    dropped(&server, "no-permission", 1).await;
    ann.indicate(peer, b"not permitted either").await;
    dropped(&server, "no-permission", 2).await;
    assert_eq!(ann.permit(peer).await.code(), 0);
    socket.send_to(b"hello", relayed).await.unwrap();
    assert_eq!(ann.receive().await, Received::Data(peer, b"hello".into()));
}

/// A network that is allowed may be that of the machine itself, whose services trust it.
#[actix_web::test]
async fn addresses_of_the_machine_are_allowed_only_by_themselves() {
    let flags = [
        "--turn-relay",
        "open",
        "--turn-external-ip",
        "192.0.2.7/0.0.0.0",
        "--turn-allow-peer",
        "127.0.0.0/8,127.0.0.2",
    ];
    let server = Server::start(&flags);
    let [ann, _ben] = two_members(&server, "tea").await;
    let mut ann = client("udp", &server, &ann).await;
    assert_eq!(ann.allocate().await.code(), 0);
    for (peer, code) in [("127.0.0.1:53", 403), ("127.0.0.3:53", 403), ("0.0.0.0:53", 403), ("127.0.0.2:53", 0)] {
        assert_eq!(ann.permit(peer.parse().unwrap()).await.code(), code, "{peer}");
    }
}

#[actix_web::test]
async fn private_networks_and_other_families_are_refused() {
    let server = Server::start(&OPEN);
    let [ann, _ben] = two_members(&server, "tea").await;
    let mut ann = client("udp", &server, &ann).await;
    assert_eq!(ann.allocate_with(&[&RequestedAddressFamily::new(AddressFamily::IPV6)]).await.code(), 440);
    assert_eq!(ann.allocate().await.code(), 0);
    for (peer, code) in [
        ("127.0.0.3:80", 403),
        ("10.0.0.1:80", 403),
        ("192.168.1.1:53", 403),
        ("169.254.169.254:80", 403),
        ("198.51.100.1:50000", 403),
        ("255.255.255.255:9", 403),
        ("224.0.0.251:5353", 403),
        ("[::1]:80", 443),
        ("[::ffff:127.0.0.1]:80", 443),
    ] {
        assert_eq!(ann.permit(peer.parse().unwrap()).await.code(), code, "{peer}");
        assert_eq!(ann.bind(0x4000, peer.parse().unwrap()).await.code(), code, "{peer}");
    }
}

/// A permission is for all ports of an address, so those of the server's own address must lead to allocations only.
#[actix_web::test]
async fn at_the_servers_own_address_only_allocations_of_the_room_are_reached() {
    let server = Server::start(&OPEN);
    let [ann, ben] = two_members(&server, "tea").await;
    let [eve, _mallory] = two_members(&server, "other").await;
    let (mut ann, mut ben, mut eve) =
        (client("udp", &server, &ann).await, client("tcp", &server, &ben).await, client("udp", &server, &eve).await);
    let [of_ann, of_ben] = connect(&mut ann, &mut ben).await;
    ann.send(0x4000, b"hello").await;
    assert_eq!(ben.receive().await, Received::Data(of_ann, b"hello".into()));
    ben.indicate(of_ann, b"hello back").await;
    assert_eq!(ann.receive().await, Received::Channel(0x4000, b"hello back".into()));

    let (service, at) = outsider("127.0.0.1").await;
    assert_eq!(eve.allocate().await.code(), 0);
    for target in [at, of_ben, of_ann] {
        assert_eq!(eve.permit(target).await.code(), 0);
        eve.indicate(target, b"into the server").await;
    }
    // Ann permits this address, because Ben's allocation is there.
    service.send_to(b"from the server", of_ann).await.unwrap();
    dropped(&server, "no-peer", 4).await;
    assert!(ann.has_received_nothing().await && ben.has_received_nothing().await);
    let nothing = service.try_recv(&mut [0; 10]).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
}

/// Peers see another address than that of the sockets, in both families.
#[actix_web::test]
async fn the_external_address_may_be_mapped() {
    let flags = [
        "--turn-relay",
        "open",
        "--turn-external-ip",
        "192.0.2.7/127.0.0.1,2001:db8::7/::",
        "--turn-allow-peer",
        "127.0.0.2,::1",
    ];
    let server = Server::start(&flags);
    let members = two_members(&server, "tea").await;
    let (mut ann, mut ben) = (client("udp", &server, &members[0]).await, client("udp", &server, &members[1]).await);
    let v6 = RequestedAddressFamily::new(AddressFamily::IPV6);
    for (member, attributes, external, local, peer) in [
        (&mut ann, &[][..], "192.0.2.7", "127.0.0.1", PEER),
        (&mut ben, &[&v6 as &dyn stun_types::attribute::AttributeWrite], "2001:db8::7", "::1", "::1"),
    ] {
        let relayed = member.allocate_with(attributes).await.relayed();
        assert_eq!(relayed.ip(), external.parse::<IpAddr>().unwrap());
        let (socket, peer) = outsider(peer).await;
        assert_eq!(member.permit(peer).await.code(), 0);
        member.indicate(peer, b"hello").await;
        let socket_at = SocketAddr::new(local.parse().unwrap(), relayed.port());
        assert_eq!(heard(&socket).await, (socket_at, b"hello".into()));
        socket.send_to(b"hello back", socket_at).await.unwrap();
        assert_eq!(member.receive().await, Received::Data(peer, b"hello back".into()));
    }
}

/// A range of one port, which something else has at first.
#[actix_web::test]
async fn each_allocation_has_a_port_of_the_range_until_it_ends() {
    let (taken, at) = outsider("127.0.0.1").await;
    let range = format!("{0}-{0}", at.port());
    let server = Server::start(&[&OPEN[..], &["--turn-ports", &range]].concat());
    let [ann, ben] = two_members(&server, "tea").await;
    let (mut ann, mut ben) = (client("tcp", &server, &ann).await, client("udp", &server, &ben).await);
    assert_eq!(ann.allocate().await.code(), 508);
    drop(taken);
    assert_eq!(ann.allocate().await.relayed(), at);
    assert_eq!(ben.allocate().await.code(), 508);
    assert_eq!(ann.refresh(0).await.code(), 0);
    while ben.allocate().await.code() != 0 {}
    assert_eq!(ben.refresh(0).await.code(), 0);
    let even = ben.allocate_with(&[&EvenPort::new(false)]).await.code();
    assert_eq!(even == 0, at.port().is_multiple_of(2));
}
