//! The requirements of RFC 8656 on requests, and RFC 8489's on credentials. `docs/relay.md` lists them.

use std::net::SocketAddr;

use stun_types::{
    attribute::{AttributeType, AttributeWrite, Fingerprint, RawAttribute, UnknownAttributes},
    message::{BINDING, TransactionId},
};
use turn_types::{
    AddressFamily,
    attribute::{
        ChannelNumber, EvenPort, Lifetime, RequestedAddressFamily, RequestedTransport, ReservationToken, XorPeerAddress,
    },
    message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH},
};

use super::{CLOSED, ice_servers, two_members};
use crate::support::{
    harness::{Peer, Server},
    turn_client::TurnClient,
};

const UDP: u8 = RequestedTransport::UDP;

async fn start() -> (Server, TurnClient, TurnClient) {
    let server = Server::start(&CLOSED);
    let [ann, ben] = two_members(&server, "tea").await;
    let clients = (TurnClient::udp(server.port, &ann.joined).await, TurnClient::udp(server.port, &ben.joined).await);
    (server, clients.0, clients.1)
}

fn peer(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[actix_web::test]
async fn an_allocation_has_a_relayed_address_and_a_lifetime() {
    let (_server, mut ann, mut ben) = start().await;
    let (one, two) = (ann.allocate().await, ben.allocate().await);
    assert_eq!((one.code(), two.code()), (0, 0));
    assert_ne!(one.relayed(), two.relayed());
    assert_eq!(one.mapped(), ann.local_addr());
    assert_eq!(one.lifetime(), 600);
    for (asked, given) in [(1, 600), (600, 600), (1800, 1800), (3600, 3600), (u32::MAX, 3600)] {
        assert_eq!(ann.refresh(asked).await.lifetime(), given, "{asked}");
    }
}

#[actix_web::test]
async fn requests_without_valid_credentials_are_challenged() {
    let (server, mut ann, _ben) = start().await;
    let transport = RequestedTransport::new(UDP);
    for method in [ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND] {
        assert_eq!(ann.ask(method, &[&transport]).await.code(), 401);
        ann.nonce.clear();
    }
    ann.ask(ALLOCATE, &[&transport]).await;
    let nonce = ann.nonce.clone();
    let right = (ann.username.clone(), ann.password.clone());
    ann.password = "wrong".into();
    assert_eq!(ann.ask(ALLOCATE, &[&transport]).await.code(), 401);
    ann.password.clone_from(&right.1);
    ann.username = format!("9{}", right.0);
    assert_eq!(ann.ask(ALLOCATE, &[&transport]).await.code(), 401);
    ann.username = right.0;
    for stale in ["AAAAAAAAAAAAAAAA".to_owned(), "x".into()] {
        ann.nonce = stale;
        assert_eq!(ann.ask(ALLOCATE, &[&transport]).await.code(), 438);
    }
    // Another client's nonce.
    let mut other = TurnClient::udp(server.port, &serde_json::json!({"ice_servers": []})).await;
    other.nonce = nonce;
    assert_eq!(other.ask(ALLOCATE, &[&transport]).await.code(), 438);
    assert_eq!(ann.ask(ALLOCATE, &[&transport]).await.code(), 0);
}

#[actix_web::test]
async fn credentials_expire_but_an_allocation_goes_on() {
    let server = Server::start(&[&CLOSED[..], &["--turn-ttl", "5"]].concat());
    let [mut ann, _ben] = two_members(&server, "tea").await;
    let mut by_ann = allocated(&server, &mut ann).await;
    let mut late = TurnClient::udp(server.port, &ann.joined).await;
    // The request rate of a client is limited.
    let mut pace = tokio::time::interval(std::time::Duration::from_millis(200));
    while late.allocate().await.code() == 0 {
        late.refresh(0).await;
        pace.tick().await;
    }
    assert_eq!(late.allocate().await.code(), 401);
    assert_eq!(by_ann.refresh(600).await.code(), 0);
}

/// A client whose credentials were accepted. They may have expired before they were used, on a machine that stood still: then the
/// member asks for others.
async fn allocated(server: &Server, member: &mut Peer) -> TurnClient {
    for _ in 0..5 {
        let mut client = TurnClient::udp(server.port, &member.joined).await;
        if client.allocate().await.code() == 0 {
            return client;
        }
        member.joined["ice_servers"] = ice_servers(member).await;
    }
    panic!("no credentials are accepted");
}

/// Section 7.2.
#[actix_web::test]
async fn allocate_requests_are_checked_in_order() {
    let (_server, mut ann, _ben) = start().await;
    let (udp, tcp) = (RequestedTransport::new(UDP), RequestedTransport::new(6));
    ann.ask(ALLOCATE, &[&udp]).await;
    let token = ReservationToken::new(7);
    let dont_fragment = RawAttribute::new(AttributeType::new(0x001a), &[]);
    let [v4, v6] = [AddressFamily::IPV4, AddressFamily::IPV6].map(RequestedAddressFamily::new);
    let [alone, reserving] = [false, true].map(EvenPort::new);
    let short = RawAttribute::new(AttributeType::new(0x0019), &[17]);
    for (attributes, code) in [
        (&[][..] as &[&dyn AttributeWrite], 400),
        (&[&short], 400),
        (&[&tcp], 442),
        (&[&udp, &dont_fragment], 420),
        (&[&udp, &v6], 440),
        (&[&udp, &reserving], 508),
        (&[&udp, &token], 508),
        (&[&udp, &token, &alone], 400),
        (&[&udp, &token, &v4], 400),
    ] {
        assert_eq!(ann.ask(ALLOCATE, attributes).await.code(), code);
    }
    let even = ann.ask(ALLOCATE, &[&udp, &alone, &v4]).await;
    assert!(even.code() == 0 && even.relayed().port().is_multiple_of(2), "{even:?}");
    assert_eq!(ann.ask(ALLOCATE, &[&udp]).await.code(), 437);
}

/// The answer was lost, and the client repeats its request.
#[actix_web::test]
async fn a_retransmitted_allocate_has_the_same_answer() {
    let (_server, mut ann, _ben) = start().await;
    ann.ask(ALLOCATE, &[&RequestedTransport::new(UDP)]).await;
    let id = TransactionId::generate();
    let request = ann.signed(ALLOCATE, id, &[&RequestedTransport::new(UDP), &Lifetime::new(1000)]);
    let first = ann.exchange(&request, id).await;
    let again = ann.exchange(&request, id).await;
    assert_eq!((first.code(), again.code()), (0, 0));
    assert_eq!(first.relayed(), again.relayed());
    assert!((990..=1000).contains(&again.lifetime()));
}

#[actix_web::test]
async fn an_unknown_attribute_that_must_be_understood_is_named() {
    let (_server, mut ann, _ben) = start().await;
    ann.allocate().await;
    let unknown = RawAttribute::new(AttributeType::new(0x7ffe), &[1, 2, 3, 4]);
    let optional = RawAttribute::new(AttributeType::new(0xfffe), &[1, 2, 3, 4]);
    for method in [ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND] {
        let reply = ann.ask(method, &[&unknown, &optional]).await;
        let message = reply.message();
        assert_eq!(reply.code(), 420);
        let named = message.attribute::<UnknownAttributes>().unwrap();
        assert!(named.has_attribute(AttributeType::new(0x7ffe)) && !named.has_attribute(AttributeType::new(0xfffe)));
    }
}

/// Section 8.
#[actix_web::test]
async fn refresh_prolongs_and_ends_an_allocation() {
    let (_server, mut ann, _ben) = start().await;
    assert_eq!(ann.ask(REFRESH, &[]).await.code(), 401);
    assert_eq!(ann.refresh(600).await.code(), 437, "there is none");
    ann.allocate().await;
    let v6 = RequestedAddressFamily::new(AddressFamily::IPV6);
    assert_eq!(ann.ask(REFRESH, &[&v6]).await.code(), 443);
    assert_eq!(ann.refresh(0).await.lifetime(), 0);
    assert_eq!(ann.refresh(0).await.code(), 437);
    assert_eq!(ann.allocate().await.code(), 0, "the client may have another");
}

/// Section 5.
#[actix_web::test]
async fn another_user_cannot_use_an_allocation() {
    let (_server, mut ann, ben) = start().await;
    let relayed = ann.allocate().await.relayed();
    (ann.username, ann.password) = (ben.username, ben.password);
    assert_eq!(ann.refresh(0).await.code(), 441);
    assert_eq!(ann.permit(relayed).await.code(), 441);
    assert_eq!(ann.bind(0x4000, relayed).await.code(), 441);
    assert_eq!(ann.ask(ALLOCATE, &[&RequestedTransport::new(UDP)]).await.code(), 437);
}

/// Section 10.
#[actix_web::test]
async fn permissions_are_only_for_addresses_of_this_relay() {
    let (_server, mut ann, mut ben) = start().await;
    let (_, of_ben) = (ann.allocate().await, ben.allocate().await.relayed());
    assert_eq!(ann.permit(of_ben).await.code(), 0);
    for no in ["127.0.0.1:80", "10.0.0.1:1", "169.254.169.254:80", "1.1.1.1:53", "198.51.101.1:50000"] {
        assert_eq!(ann.permit(peer(no)).await.code(), 403, "{no}");
        assert_eq!(ann.bind(0x4001, peer(no)).await.code(), 403, "{no}");
    }
    assert_eq!(ann.permit(peer("[::1]:80")).await.code(), 443);
    assert_eq!(ann.ask(CREATE_PERMISSION, &[]).await.code(), 400);
    let id = TransactionId::generate();
    let many: [_; 17] = std::array::from_fn(|_| XorPeerAddress::new(of_ben, id));
    let named = |count: usize| many[..count].iter().map(|peer| peer as &dyn AttributeWrite).collect::<Vec<_>>();
    let request = ann.signed(CREATE_PERMISSION, id, &named(16));
    assert_eq!(ann.exchange(&request, id).await.code(), 0);
    let request = ann.signed(CREATE_PERMISSION, id, &named(17));
    assert_eq!(ann.exchange(&request, id).await.code(), 508);
}

/// Section 12.
#[actix_web::test]
async fn a_channel_has_a_number_in_range_and_one_peer() {
    let (_server, mut ann, mut ben) = start().await;
    let (of_ann, of_ben) = (ann.allocate().await.relayed(), ben.allocate().await.relayed());
    for out_of_range in [0, 0x3fff, 0x8000, 0xffff] {
        assert_eq!(ann.bind(out_of_range, of_ben).await.code(), 400, "{out_of_range:x}");
    }
    assert_eq!(ann.bind(0x4000, of_ben).await.code(), 0);
    assert_eq!(ann.bind(0x4000, of_ben).await.code(), 0, "refreshed");
    assert_eq!(ann.bind(0x4001, of_ben).await.code(), 400, "the peer has a channel");
    assert_eq!(ann.bind(0x4000, of_ann).await.code(), 400, "the channel has a peer");
    assert_eq!(ann.ask(CHANNEL_BIND, &[&ChannelNumber::new(0x4002)]).await.code(), 400);
    let id = TransactionId::generate();
    let request = ann.signed(CHANNEL_BIND, id, &[&XorPeerAddress::new(of_ben, id)]);
    assert_eq!(ann.exchange(&request, id).await.code(), 400);
}

#[actix_web::test]
async fn a_member_has_no_more_than_its_quota() {
    let server = Server::start(&[&CLOSED[..], &["--turn-per-user", "2", "--turn-total", "3"]].concat());
    let [ann, ben] = two_members(&server, "tea").await;
    let client = async |joined| TurnClient::udp(server.port, joined).await;
    for code in [0, 0, 486] {
        assert_eq!(client(&ann.joined).await.allocate().await.code(), code);
    }
    for code in [0, 508] {
        assert_eq!(client(&ben.joined).await.allocate().await.code(), code);
    }
}

#[actix_web::test]
async fn binding_requests_are_answered_and_fingerprints_returned() {
    let (_server, mut ann, _ben) = start().await;
    let reply = ann.ask(BINDING, &[]).await;
    assert_eq!(reply.mapped(), ann.local_addr());
    use stun_types::{
        attribute::AttributeStaticType,
        message::{Message, MessageWrite, MessageWriteExt, MessageWriteVec},
    };
    let mut message = Message::builder_request(BINDING, MessageWriteVec::new());
    message.add_fingerprint().unwrap();
    let bytes = message.finish();
    let id = Message::from_bytes(&bytes).unwrap().transaction_id();
    assert!(ann.exchange(&bytes, id).await.message().has_attribute(Fingerprint::TYPE));
}
