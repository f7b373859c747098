//! Packets between two members, whichever way they reach the relay.

use super::{CLOSED, connect, metric, two_members, two_members_over_tls};
use crate::support::{
    certificate::write_certificate,
    harness::Server,
    turn_client::{Received, TurnClient},
};

/// Every length modulo four, and the longest.
const LENGTHS: [usize; 7] = [0, 1, 2, 3, 4, 1200, 4096];

/// Sends packets of all lengths both ways: by channel there, by indication back.
async fn exchange(ann: &mut TurnClient, ben: &mut TurnClient) {
    let [of_ann, of_ben] = connect(ann, ben).await;
    for length in LENGTHS {
        let data = vec![length as u8; length];
        ann.send(0x4000, &data).await;
        // Ben has bound no channel.
        assert_eq!(ben.receive().await, Received::Data(of_ann, data));
    }
    for length in LENGTHS.into_iter().filter(|length| *length < 4000) {
        let data = vec![length as u8; length];
        ben.indicate(of_ann, &data).await;
        assert_eq!(ann.receive().await, Received::Channel(0x4000, data));
    }
    assert_eq!(ben.bind(0x7fff, of_ann).await.code(), 0);
    ann.indicate(of_ben, b"now by channel").await;
    assert_eq!(ben.receive().await, Received::Channel(0x7fff, b"now by channel".into()));
}

#[actix_web::test]
async fn over_udp_and_tcp_in_all_combinations() {
    let server = Server::start(&CLOSED);
    for (room, [first, second]) in
        [("a", ["udp", "udp"]), ("b", ["udp", "tcp"]), ("c", ["tcp", "udp"]), ("d", ["tcp", "tcp"])]
    {
        let members = two_members(&server, room).await;
        let [ann, ben] = members.each_ref().map(|peer| &peer.joined);
        let client = async |way, joined| match way {
            "udp" => TurnClient::udp(server.port, joined).await,
            _ => TurnClient::tcp(server.port, joined).await,
        };
        exchange(&mut client(first, ann).await, &mut client(second, ben).await).await;
    }
    assert_eq!(metric(&server, "signalpost_relay_packets_total{transport=\"udp\"}").await, 28);
    assert_eq!(metric(&server, "signalpost_relay_packets_total{transport=\"tcp\"}").await, 28);
    assert_eq!(
        metric(&server, "signalpost_relay_allocations{transport=\"udp\"}").await,
        4,
        "UDP has no end but expiry"
    );
}

#[actix_web::test]
async fn over_tls_tcp_and_udp_on_the_port_of_https() {
    let certificate = write_certificate("relay-packets");
    let server = certificate.server();
    let [ann, ben] = two_members_over_tls(&server, &certificate).await;
    let urls = ann["ice_servers"][1]["urls"].as_array().unwrap();
    let port = 443;
    let expected = [
        format!("turn:localhost:{port}?transport=udp"),
        format!("turn:localhost:{port}?transport=tcp"),
        format!("turns:localhost:{port}?transport=tcp"),
    ];
    assert_eq!(urls[..], expected, "the port is that of the Host field");
    // Clients of TURN name these protocols, or none; coturn's prefers HTTP.
    for protocol in ["stun.turn", "http/1.1", ""] {
        let tls = async || Box::new(certificate.connect(&server, protocol).await.unwrap());
        exchange(&mut TurnClient::over(tls().await, &ann), &mut TurnClient::over(tls().await, &ben)).await;
    }
    let mut by_tls = TurnClient::over(Box::new(certificate.connect(&server, "stun.turn").await.unwrap()), &ann);
    exchange(&mut by_tls, &mut TurnClient::udp(server.port, &ben).await).await;
    exchange(&mut TurnClient::tcp(server.port, &ann).await, &mut TurnClient::udp(server.port, &ben).await).await;
}

/// RFC 8656 section 9: permissions are mutual only if both give them.
#[actix_web::test]
async fn nothing_arrives_without_a_permission_on_either_side() {
    let server = Server::start(&CLOSED);
    let members = two_members(&server, "tea").await;
    let mut ann = TurnClient::udp(server.port, &members[0].joined).await;
    let mut ben = TurnClient::udp(server.port, &members[1].joined).await;
    let (of_ann, of_ben) = (ann.allocate().await.relayed(), ben.allocate().await.relayed());
    ann.indicate(of_ben, b"nobody permits anything").await;
    assert!(ben.has_received_nothing().await);
    ann.permit(of_ben).await;
    ann.indicate(of_ben, b"Ben does not permit Ann").await;
    assert!(ben.has_received_nothing().await);
    ben.permit(of_ann).await;
    ann.indicate(of_ben, b"both do").await;
    assert_eq!(ben.receive().await, Received::Data(of_ann, b"both do".into()));
    assert_eq!(metric(&server, "signalpost_relay_drops_total{reason=\"no-permission\"}").await, 2);
}

#[actix_web::test]
async fn members_of_different_rooms_never_hear_each_other() {
    let server = Server::start(&CLOSED);
    let [ann, _] = two_members(&server, "tea").await;
    let [eve, _] = two_members(&server, "coffee").await;
    let mut ann = TurnClient::udp(server.port, &ann.joined).await;
    let mut eve = TurnClient::udp(server.port, &eve.joined).await;
    let [of_ann, of_eve] = connect(&mut ann, &mut eve).await;
    ann.send(0x4000, b"hello?").await;
    eve.indicate(of_ann, b"hello?").await;
    ann.indicate(of_eve, b"hello?").await;
    assert!(ann.has_received_nothing().await && eve.has_received_nothing().await);
    assert_eq!(metric(&server, "signalpost_relay_drops_total{reason=\"no-peer\"}").await, 3);
}
